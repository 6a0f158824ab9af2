import { type ISignal, Signal } from '@lumino/signaling';

/** A value that is asked from the server, with how the last asking went. */
export class Watched<T> {
  private readonly _changed = new Signal<this, void>(this);
  private _value: T | null = null;
  private _error: Error | null = null;
  private _asking: Promise<void> | null = null;

  constructor(private readonly ask: () => Promise<T>) {}

  /** The last answer; it stays when a later asking fails. */
  get value(): T | null {
    return this._value;
  }

  /** Why the last asking failed; null when it did not. */
  get error(): Error | null {
    return this._error;
  }

  get isAsking(): boolean {
    return this._asking !== null;
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** Ask again; never throws, and joins an asking that goes on. */
  refresh(): Promise<void> {
    this._asking ??= this.askOnce();
    return this._asking;
  }

  private async askOnce(): Promise<void> {
    try {
      this._value = await this.ask();
      this._error = null;
    } catch (error) {
      this._error = toError(error);
    } finally {
      this._asking = null;
      this._changed.emit();
    }
  }
}

/** Whatever was thrown, as an error. */
export function toError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}
