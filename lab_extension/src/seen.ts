/** Whether the browser's tab is in front: what cannot be seen asks nothing. */

export function isPageSeen(): boolean {
  return !document.hidden;
}

/** Be told when that changes; returns the way to end it. */
export function onPageSeen(listener: () => void): () => void {
  document.addEventListener('visibilitychange', listener);
  return () => {
    document.removeEventListener('visibilitychange', listener);
  };
}

/** Do something for as long as the page is seen. `start` returns the way to end it. */
export function whilePageSeen(start: () => () => void): void {
  let end: (() => void) | null = null;
  const look = () => {
    if (isPageSeen()) {
      end ??= start();
    } else {
      end?.();
      end = null;
    }
  };
  onPageSeen(look);
  look();
}
