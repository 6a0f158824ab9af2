import type { ISignal } from '@lumino/signaling';
import { useEffect, useReducer, useState } from 'react';

/** Draw the component again whenever one of the signals is emitted. */
export function useChanges(...signals: readonly ISignal<unknown, unknown>[]) {
  const [, redraw] = useReducer((count: number) => count + 1, 0);
  useEffect(() => {
    const onChange = () => {
      redraw();
    };
    signals.forEach(signal => signal.connect(onChange));
    return () => {
      signals.forEach(signal => signal.disconnect(onChange));
    };
    // The signals belong to models that live as long as the page.
  }, []);
}

/** The time in ms, fresh every second while `isTicking`. */
export function useNow_ms(isTicking: boolean): number {
  const [now_ms, setNow_ms] = useState(Date.now());
  useEffect(() => {
    if (!isTicking) {
      return;
    }
    const timer = setInterval(() => {
      setNow_ms(Date.now());
    }, 1000);
    return () => {
      clearInterval(timer);
    };
  }, [isTicking]);
  return Math.max(now_ms, Date.now());
}
