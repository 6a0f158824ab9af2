import type { IInfo, IProviderRecord } from '../api';

/** How a store follows the log. */
export interface IStore {
  readonly name: string;
  readonly state: 'level' | 'behind' | 'halted';
  /** Events that are in the log and not yet in the store. */
  readonly lag: number;
  /** Why it stands still; empty when it does not. */
  readonly fault: string;
}

/** What is known of a provider without asking it. */
export interface IProvider {
  readonly name: string;
  readonly state: 'answering' | 'failing' | 'unused' | 'unknown' | 'blocked';
  /** Requests of the last 24 hours, and how many were answered; 0 while that is not known. */
  readonly asked: number;
  readonly answered: number;
  /** What keeps it from answering; empty where nothing is known to. */
  readonly problem: string;
}

/** Every store, in the order of the server. */
export function listStores(info: IInfo): readonly IStore[] {
  return Object.entries(info.projection_lag).map(([name, lag]) => {
    const fault = info.projection_faults[name] ?? '';
    const state = fault ? 'halted' : lag > 0 ? 'behind' : 'level';
    return { name, state, lag, fault };
  });
}

/** Every configured provider, with its models taken together. */
export function listProviders(
  info: IInfo,
  records: readonly IProviderRecord[] | null
): readonly IProvider[] {
  return info.providers.map(name => {
    const mine = records?.filter(({ provider }) => provider === name) ?? [];
    const asked = sum(mine.map(record => record.total_requests));
    const answered = Math.round(
      sum(mine.map(record => record.total_requests * record.success_rate))
    );
    const problem = info.provider_problems[name] ?? '';
    return {
      name,
      state:
        records === null && !problem
          ? 'unknown'
          : judge(problem, asked, answered),
      asked,
      answered,
      problem
    };
  });
}

function judge(
  problem: string,
  asked: number,
  answered: number
): IProvider['state'] {
  if (problem) {
    return 'blocked';
  }
  if (asked === 0) {
    return 'unused';
  }
  return answered > 0 ? 'answering' : 'failing';
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
