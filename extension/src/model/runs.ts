import type { ServerConnection } from '@jupyterlab/services';
import { Poll, Throttler } from '@lumino/polling';
import { type ISignal, Signal } from '@lumino/signaling';

import { cancelRun, getRun, type IRun, listRuns, type RunState } from '../api';
import { toError } from './watched';

/** What the server pushes when a run changes. */
export interface IRunChange {
  readonly run_id: string;
  readonly state: RunState;
  readonly progress: number;
}

const PAGE = 100;
const GATHER_MS = 300;
const QUIET_MS = 30_000;
const CLOSE_MS = 3_000;
const CLOSELY_FOR_MS = 60_000;
const ONE_BY_ONE = 4;

/**
 * The runs that are known, newest first.
 *
 * Pushed changes arrive by `accept`. Polling is the fall-back: it asks only when nothing was pushed
 * for a while, and not while the page is hidden.
 */
export class RunList {
  private readonly _changed = new Signal<this, void>(this);
  private readonly _stateChanged = new Signal<this, IRun>(this);
  private readonly _byId = new Map<string, IRun>();
  private readonly _incomplete = new Set<string>();
  private readonly _complete: Throttler<void>;
  private readonly _poll: Poll;
  private _sorted: readonly IRun[] = [];
  private _cursor: string | null = null;
  private _error: Error | null = null;
  private _isLoaded = false;
  private _loading: Promise<void> | null = null;
  private _heardAt_ms = 0;
  private _closelyUntil_ms = 0;
  private _isStarted = false;

  constructor(private readonly settings: ServerConnection.ISettings) {
    this._complete = new Throttler(() => this.completeRuns(), {
      limit: GATHER_MS,
      edge: 'trailing'
    });
    this._poll = new Poll({
      name: '@helix-lab/extension:runs',
      auto: false,
      factory: () => this.refreshIfQuiet(),
      frequency: { interval: QUIET_MS / 2, backoff: false },
      linger: 0,
      standby: 'when-hidden'
    });
  }

  get runs(): readonly IRun[] {
    return this._sorted;
  }

  /** Queued and running ones. */
  get unfinished(): readonly IRun[] {
    return this._sorted.filter(run => !hasEnded(run));
  }

  get hasMore(): boolean {
    return this._cursor !== null;
  }

  get isLoaded(): boolean {
    return this._isLoaded;
  }

  /** Why the last page could not be read; null when it could. */
  get error(): Error | null {
    return this._error;
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** Emitted with a run whose state is another than before, or that is new. */
  get stateChanged(): ISignal<this, IRun> {
    return this._stateChanged;
  }

  /** Begin to poll where nothing is pushed. */
  start(): void {
    this._isStarted = true;
    void this._poll.start();
  }

  /** Ask often for a while: the server was away, and the page may not hear it yet. */
  watchClosely(): void {
    this._closelyUntil_ms = Date.now() + CLOSELY_FOR_MS;
    this._poll.frequency = {
      interval: CLOSE_MS,
      max: CLOSE_MS,
      backoff: false
    };
    if (this._isStarted) {
      void this._poll.refresh();
    }
  }

  /** Read the newest page again; never throws. */
  async refresh(): Promise<void> {
    await this.load(null);
  }

  /** Read the next older page, if there is one; never throws. */
  async loadMore(): Promise<void> {
    if (this._cursor !== null) {
      await this.load(this._cursor);
    }
  }

  /** Take a pushed change; what it does not tell is asked from the server soon after. */
  accept(change: IRunChange): void {
    this._heardAt_ms = Date.now();
    const known = this._byId.get(change.run_id);
    if (known !== undefined && !hasEnded(known)) {
      const { state, progress } = change;
      this.keep([{ ...known, state, progress }]);
    }
    if (known?.state !== change.state) {
      this._incomplete.add(change.run_id);
      void this._complete.invoke();
    }
  }

  /** Ask a run to stop. Throws what the server answered if it refuses. */
  async cancel(runId: string): Promise<void> {
    this.keep([await cancelRun(this.settings, runId)]);
  }

  dispose(): void {
    this._poll.dispose();
    this._complete.dispose();
    Signal.clearData(this);
  }

  private async refreshIfQuiet(): Promise<void> {
    const now_ms = Date.now();
    const isClose = now_ms < this._closelyUntil_ms;
    if (isClose || now_ms - this._heardAt_ms >= QUIET_MS) {
      await this.refresh();
    }
    if (!isClose) {
      const interval = QUIET_MS / 2;
      this._poll.frequency = { interval, max: interval, backoff: false };
    }
  }

  private async load(cursor: string | null): Promise<void> {
    while (this._loading !== null) {
      await this._loading;
    }
    if (cursor !== null && cursor !== this._cursor) {
      return;
    }
    this._loading = this.readPage(cursor);
    await this._loading;
  }

  private async readPage(cursor: string | null): Promise<void> {
    try {
      const options = { limit: PAGE, ...(cursor === null ? {} : { cursor }) };
      const page = await listRuns(this.settings, options);
      this._error = null;
      this.placePage(page.runs, page.next_cursor, cursor === null);
    } catch (error) {
      this._error = toError(error);
    } finally {
      this._loading = null;
      this._changed.emit();
    }
  }

  private placePage(
    runs: readonly IRun[],
    next: string | null,
    isNewest: boolean
  ): void {
    const isGapless = runs.some(run => this._byId.has(run.run_id));
    if (isNewest && !isGapless) {
      this._byId.clear();
    }
    // A newest page that meets the known runs says nothing of where those end.
    if (!isNewest || !isGapless) {
      this._cursor = next;
    }
    this.keep(runs, this._isLoaded && isNewest);
    this._isLoaded = true;
  }

  /** Ask for what the pushed changes left open: times, the error, runs that are new. */
  private async completeRuns(): Promise<void> {
    const ids = [...this._incomplete];
    this._incomplete.clear();
    if (ids.length > ONE_BY_ONE) {
      await this.refresh();
    }
    const missing = ids.filter(id => !isComplete(this._byId.get(id)));
    const answers = await Promise.allSettled(
      missing.slice(0, PAGE).map(id => getRun(this.settings, id))
    );
    this.keep(
      answers.flatMap(one => (one.status === 'fulfilled' ? [one.value] : []))
    );
  }

  private keep(runs: readonly IRun[], isNews = true): void {
    const news = runs.filter(run => this.isNews(run));
    for (const run of runs.filter(one => !this.isOld(one))) {
      this._byId.set(run.run_id, run);
    }
    this._sorted = [...this._byId.values()].sort(newestFirst);
    this._changed.emit();
    if (isNews) {
      for (const run of news) {
        this._stateChanged.emit(run);
      }
    }
  }

  /** An answer may be older than a change that was pushed meanwhile. */
  private isOld(run: IRun): boolean {
    const known = this._byId.get(run.run_id);
    return known !== undefined && hasEnded(known) && !hasEnded(run);
  }

  private isNews(run: IRun): boolean {
    return !this.isOld(run) && this._byId.get(run.run_id)?.state !== run.state;
  }
}

export function hasEnded(run: IRun): boolean {
  return run.state !== 'queued' && run.state !== 'running';
}

/** How long a run has taken until now or until its end, in ms; null before it began. */
export function measureDuration_ms(run: IRun, now_ms: number): number | null {
  if (run.started_at === null) {
    return null;
  }
  const end_ms = run.ended_at === null ? now_ms : Date.parse(run.ended_at);
  return Math.max(0, end_ms - Date.parse(run.started_at));
}

/** A duration for people: `0.4 s`, `42 s`, `3 min 5 s`, `2 h 10 min`. */
export function formatDuration(duration_ms: number): string {
  const seconds = duration_ms / 1000;
  if (seconds < 10) {
    return `${seconds.toFixed(1)} s`;
  }
  const whole = Math.floor(seconds);
  if (whole < 60) {
    return `${whole} s`;
  }
  const minutes = Math.floor(whole / 60);
  return minutes < 60
    ? `${minutes} min ${whole % 60} s`
    : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

function isComplete(run: IRun | undefined): boolean {
  return run !== undefined && (!hasEnded(run) || run.ended_at !== null);
}

function newestFirst(one: IRun, other: IRun): number {
  const byTime = Date.parse(other.created_at) - Date.parse(one.created_at);
  return byTime || (other.run_id < one.run_id ? -1 : 1);
}
