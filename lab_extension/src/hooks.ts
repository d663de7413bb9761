/** Hooks: a poll that is watched while it is seen, an answer while somebody types. */
import * as React from 'react';
import { type IPoll, type IPollState, staleSince, wordsOf } from './api/poll';
import { Problem } from './api/problem';
import { SeenContext } from './hubyard';
import { isPageSeen, onPageSeen } from './seen';

/** The state of a poll, kept fresh while this can be seen; `atLeast` as in `watch`. */
export function usePoll<T>(poll: IPoll<T>, atLeast = 0): IPollState<T> {
  const seen = React.useContext(SeenContext);
  React.useEffect(
    () => (seen ? poll.watch(atLeast) : undefined),
    [atLeast, poll, seen]
  );
  return usePollState(poll);
}

/** The state of a poll that somebody else watches, or nobody. */
export function usePollState<T>(poll: IPoll<T>): IPollState<T> {
  return React.useSyncExternalStore(poll.subscribe, () => poll.state);
}

/** Since when what some polls brought is stale; null: it is not. */
export function useStaleSince(polls: readonly IPoll<unknown>[]): number | null {
  return React.useSyncExternalStore(
    listener => {
      const ends = polls.map(poll => poll.subscribe(listener));
      return () => {
        ends.forEach(end => {
          end();
        });
      };
    },
    () => staleSince(...polls.map(poll => poll.state))
  );
}

/** Whether the browser's tab is in front. */
export function usePageSeen(): boolean {
  return React.useSyncExternalStore(onPageSeen, isPageSeen);
}

const SECOND_MS = 1_000;

/** The time, in milliseconds; while it goes on and can be seen, of this second. */
export function useNow(goesOn: boolean): number {
  const seen = React.useContext(SeenContext);
  const [now, setNow] = React.useState(Date.now);
  React.useEffect(() => {
    if (!goesOn || !seen) {
      return undefined;
    }
    const timer = setInterval(() => {
      setNow(Date.now());
    }, SECOND_MS);
    return () => {
      clearInterval(timer);
    };
  }, [goesOn, seen]);
  return now;
}

export interface IAnswer<T> {
  readonly data: T | null;
  readonly error: string | null;
  /** The part of the question that is wrong, where the platform names one. */
  readonly field: string | null;
  readonly pending: boolean;
}

interface IAnswered<T> extends Omit<IAnswer<T>, 'pending'> {
  readonly key: string | null;
}

/**
 * The answer to a question that changes while somebody types.
 *
 * A new `key` is a new question, null is none. The old answer stays until the new one
 * is there; an answer that comes too late is dropped.
 */
export function useAnswer<T>(
  key: string | null,
  ask: () => Promise<T>,
  pause = 0
): IAnswer<T> {
  const [answered, setAnswered] = React.useState<IAnswered<T>>({
    key: null,
    data: null,
    error: null,
    field: null
  });
  const latest = React.useRef(ask);
  React.useEffect(() => {
    latest.current = ask;
  });
  React.useEffect(() => {
    if (key === null) {
      return undefined;
    }
    let wanted = true;
    const settle = (answer: Omit<IAnswered<T>, 'key'>) => {
      if (wanted) {
        setAnswered({ key, ...answer });
      }
    };
    const timer = setTimeout(() => {
      latest.current().then(
        data => {
          settle({ data, error: null, field: null });
        },
        (reason: unknown) => {
          const field = reason instanceof Problem ? reason.field : null;
          settle({ data: null, error: wordsOf(reason), field });
        }
      );
    }, pause);
    return () => {
      wanted = false;
      clearTimeout(timer);
    };
  }, [key, pause]);
  const { data, error, field } = answered;
  return { data, error, field, pending: key !== answered.key };
}
