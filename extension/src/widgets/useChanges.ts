import type { ISignal } from '@lumino/signaling';
import { useEffect, useReducer } from 'react';

/** Draw the component again whenever one of the signals is emitted. */
export function useChanges(...signals: readonly ISignal<unknown, unknown>[]) {
  const [, redraw] = useReducer((count: number) => count + 1, 0);
  useEffect(() => {
    const onChange = () => {
      redraw();
    };
    signals.forEach(signal => signal.connect(onChange));
    redraw();
    return () => {
      signals.forEach(signal => signal.disconnect(onChange));
    };
    // The signals belong to models that live as long as the page.
  }, []);
}

/** The time in ms, fresh every second while `isTicking`. */
export function useNow_ms(isTicking: boolean): number {
  const [, redraw] = useReducer((count: number) => count + 1, 0);
  useEffect(() => {
    if (!isTicking) {
      return;
    }
    const timer = setInterval(redraw, 1000);
    return () => {
      clearInterval(timer);
    };
  }, [isTicking]);
  return Date.now();
}
