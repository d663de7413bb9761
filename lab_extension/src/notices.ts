/** Notices in words, and which of them this browser has yet to say. */
import type { TranslationBundle } from '@jupyterlab/translation';
import type { Notice, Notices } from './api/types';

/** JupyterLab cuts what is longer. */
const TOAST = 140;
/** More than these at once are said in one toast. */
const MOST = 3;

export interface IDue {
  /** Notices to say, the oldest first. */
  readonly due: readonly Notice[];
  /** When the newest of all was made, in milliseconds since the epoch. */
  readonly until: number;
}

/** The unseen notices that are newer than what was said last. */
export function dueNotices({ notices }: Notices, last: number): IDue {
  const due = notices
    .filter(each => each.seen_at == null && Date.parse(each.created_at) > last)
    .reverse();
  const made = due.map(each => Date.parse(each.created_at));
  return { due, until: Math.max(last, ...made) };
}

/** Whether they are too many to be said one by one. */
export function isCrowd(due: readonly Notice[]): boolean {
  return due.length > MOST;
}

/** A notice in one line. */
export function noticeText(
  trans: TranslationBundle,
  { name, why, message }: Notice
): string {
  const text = trans.__('%1: %2. %3', name, whyText(trans, why), message);
  return text.length > TOAST ? `${text.slice(0, TOAST - 1)}…` : text;
}

export function whyText(trans: TranslationBundle, why: Notice['why']): string {
  switch (why) {
    case 'failed':
      return trans.__('failed');
    case 'recovered':
      return trans.__('well again');
    case 'late':
      return trans.__('late');
    case 'disk':
      return trans.__('nearly full');
  }
}

export function bellText(trans: TranslationBundle, unseen: number): string {
  return unseen === 0
    ? trans.__('No new notices')
    : trans._n('%1 new notice', '%1 new notices', unseen);
}
