/** Toasts: every slow act ends in one that says how it went. */
import { Notification } from '@jupyterlab/apputils';
import { wordsOf } from './api/poll';

const BRIEF_MS = 6_000;
const DRAWN_MS = 500;

/** What a person can do next, from the toast. */
export interface INext {
  readonly label: string;
  readonly run: () => void;
}

export interface IWords<T> {
  readonly pending: string;
  readonly success: (result: T) => string;
  readonly next?: INext;
}

/**
 * Settle no sooner than `ms`: a toast that is updated before it is drawn stays on its
 * pending text (seen in JupyterLab 4.6.6).
 */
export function settleAfter<T>(job: Promise<T>, ms: number): Promise<T> {
  const wait = new Promise<void>(resolve => setTimeout(resolve, ms));
  return Promise.allSettled([job, wait]).then(() => job);
}

/** Show a job from its start to its end. */
export function follow<T>(job: Promise<T>, words: IWords<T>): void {
  const id = Notification.emit(words.pending, 'in-progress', {
    autoClose: false
  });
  settleAfter(job, DRAWN_MS).then(
    result => {
      const message = words.success(result);
      const actions = actionsOf(words.next);
      const type = 'success';
      Notification.update({ id, type, message, actions, autoClose: BRIEF_MS });
    },
    (reason: unknown) => {
      const message = wordsOf(reason);
      Notification.update({ id, type: 'error', message, autoClose: false });
    }
  );
}

/** Say that something was done. */
export function tell(message: string, next?: INext): void {
  Notification.success(message, {
    autoClose: BRIEF_MS,
    actions: actionsOf(next)
  });
}

/** Say that something could not be done, or has broken. */
export function fail(message: string, next?: INext): void {
  Notification.error(message, {
    autoClose: false,
    actions: actionsOf(next)
  });
}

/** Say that something will soon go wrong; returns what `dismiss` takes. */
export function warn(message: string, next?: INext): string {
  return Notification.warning(message, {
    autoClose: false,
    actions: actionsOf(next)
  });
}

/** Take a toast away that is no longer true. */
export function dismiss(id: string): void {
  Notification.dismiss(id);
}

function actionsOf(next: INext | undefined): Notification.IAction[] {
  return next === undefined
    ? []
    : [{ label: next.label, callback: next.run, displayType: 'link' }];
}
