import { type RefCallback, type UIEvent, useCallback, useState } from 'react';

const AROUND = 8;

interface IWindow {
  /** Goes to the element that scrolls. */
  readonly frame: {
    readonly ref: RefCallback<HTMLElement>;
    readonly onScroll: (event: UIEvent<HTMLElement>) => void;
  };
  /** The first row to draw. */
  readonly first: number;
  /** The row after the last one to draw. */
  readonly last: number;
}

/** Which of many rows of one height are in sight, with some around them. */
export function useWindow(count: number, row_px: number): IWindow {
  const [top_px, setTop_px] = useState(0);
  const [height_px, setHeight_px] = useState(0);
  const observe = useCallback(observeHeight(setHeight_px), []);
  const first = Math.max(0, Math.floor(top_px / row_px) - AROUND);
  const last = Math.ceil((top_px + height_px) / row_px) + AROUND;
  return {
    frame: {
      ref: observe,
      onScroll: event => {
        setTop_px(event.currentTarget.scrollTop);
      }
    },
    first: Math.min(first, count),
    last: Math.min(last, count)
  };
}

function observeHeight(
  tell: (height_px: number) => void
): RefCallback<HTMLElement> {
  let observer: ResizeObserver | null = null;
  return element => {
    observer?.disconnect();
    observer = null;
    if (element !== null) {
      observer = new ResizeObserver(() => {
        tell(element.clientHeight);
      });
      observer.observe(element);
    }
  };
}
