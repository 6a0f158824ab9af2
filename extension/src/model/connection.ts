import type { ServerConnection } from '@jupyterlab/services';
import { Poll } from '@lumino/polling';
import { type ISignal, Signal } from '@lumino/signaling';

import { ApiError, getHealth, type IHealth } from '../api';
import { Watched } from './watched';

/** How the lab can be reached: the server may be away, or there without Helix Lab. */
export type Reach =
  'asking' | 'connected' | 'degraded' | 'unreachable' | 'missing';

const STEADY_MS = 15_000;
const RECOVERING_MS = 3_000;

/** Asks for the health of the lab again and again, sooner while it is away. */
export class Connection {
  private readonly _health: Watched<IHealth>;
  private readonly _changed = new Signal<this, void>(this);
  private readonly _answered = new Signal<this, void>(this);
  private readonly _returned = new Signal<this, void>(this);
  private readonly _poll: Poll;
  private _reach: Reach = 'asking';

  constructor(settings: ServerConnection.ISettings) {
    this._health = new Watched(() => getHealth(settings));
    this._health.changed.connect(() => {
      this.judge();
    });
    this._poll = new Poll({
      name: '@helix-lab/extension:health',
      auto: false,
      factory: () => this._health.refresh(),
      frequency: { interval: STEADY_MS, backoff: false },
      linger: 0,
      standby: 'when-hidden'
    });
  }

  get reach(): Reach {
    return this._reach;
  }

  /** The state of each backend; null while the lab does not answer. */
  get health(): IHealth | null {
    return this._health.error === null ? this._health.value : null;
  }

  /** Why it does not answer; empty when it does. */
  get reason(): string {
    return this._health.error?.message ?? '';
  }

  /** Emitted when the state of the lab or of a backend changed. */
  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** Emitted whenever the lab answers. */
  get answered(): ISignal<this, void> {
    return this._answered;
  }

  /** Emitted when the lab answers for the first time, or again. */
  get returned(): ISignal<this, void> {
    return this._returned;
  }

  start(): void {
    void this._poll.start();
  }

  /** Ask now; never throws. */
  async refresh(): Promise<void> {
    await this._health.refresh();
  }

  dispose(): void {
    this._poll.dispose();
    Signal.clearData(this);
  }

  private judge(): void {
    const before = this._reach;
    this._reach = this.reachNow();
    const isHere = this.health !== null;
    const isAway = this._reach === 'unreachable';
    const interval = isAway ? RECOVERING_MS : STEADY_MS;
    this._poll.frequency = { interval, max: interval, backoff: false };
    this._changed.emit();
    if (isHere) {
      this._answered.emit();
    }
    if (isHere && !isAnswering(before)) {
      this._returned.emit();
    }
  }

  private reachNow(): Reach {
    if (this.health !== null) {
      return this.health.status === 'healthy' ? 'connected' : 'degraded';
    }
    const { error } = this._health;
    return error instanceof ApiError && error.status === 404
      ? 'missing'
      : 'unreachable';
  }
}

function isAnswering(reach: Reach): boolean {
  return reach === 'connected' || reach === 'degraded';
}
