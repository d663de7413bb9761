/**
 * The end of a workspace, and the warnings before it.
 *
 * end      when and why it will end; it moves: activity, money and extensions move it
 * left     seconds until then, counted by the platform's clock
 * warning  said at 15 and at 5 minutes, once for each end
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import type { IPollState } from './api/poll';
import type { Workload } from './api/types';
import { durationText, numberText, toTheMinute } from './format';

const MINUTE_S = 60;
const HOUR_S = 3_600;
/** How long before the end a warning is said, in seconds. */
export const WARNINGS_S = [15 * MINUTE_S, 5 * MINUTE_S] as const;
export const FIRST_WARNING_S = WARNINGS_S[0];
/** An end that moves by less is the same: activity is told in whole seconds. */
const SAME_MS = MINUTE_S * 1_000;

const CALM_MS = 60_000;
const NEAR_MS = 15_000;
const NEAR_S = 20 * MINUTE_S;

/** How often to ask for a workspace that may end: its warnings shall come on time. */
export function nearEndPace(workload: Workload | null): number {
  const near = workload !== null && workload.seconds_left < NEAR_S;
  return near ? NEAR_MS : CALM_MS;
}

/** Seconds that are left now; null: it has ended, or nobody knows. */
export function secondsLeft(
  { data, at }: IPollState<Workload>,
  now = Date.now()
): number | null {
  if (data === null || at === null || data.ended_at != null) {
    return null;
  }
  const gone = Math.max(0, now - at);
  return Math.max(0, data.seconds_left - Math.floor(gone / 1_000));
}

export interface IEnd {
  /** When, in milliseconds since the epoch, by the platform's clock. */
  readonly at: number;
  readonly reason: string;
  readonly left: number;
}

export function endOf(
  state: IPollState<Workload>,
  now = Date.now()
): IEnd | null {
  const left = secondsLeft(state, now);
  return state.data === null || left === null
    ? null
    : { at: Date.parse(state.data.deadline), reason: state.data.ends, left };
}

interface ISaid {
  readonly at: number;
  /** The latest warning that was said; Infinity: none. */
  readonly warning: number;
}

/** Decides when a warning is due: each is said once, until the end has moved away. */
export class Alarm {
  /** Whether something is to be said of this end now. */
  isDue({ at, reason, left }: IEnd): boolean {
    const before = this.said.get(reason);
    const moved = before === undefined || at >= before.at + SAME_MS;
    const last = moved ? Infinity : before.warning;
    const reached = WARNINGS_S.filter(warning => left <= warning).at(-1);
    const warning = Math.min(reached ?? Infinity, last);
    const anchor = moved ? at : Math.min(at, before.at);
    this.said.set(reason, { at: anchor, warning });
    return warning < last;
  }

  /** By reason: one end that hides another for a while does not make it new. */
  private readonly said = new Map<string, ISaid>();
}

/** How long is left, in a few words, with the reason where it is not the lifetime. */
export function leftText(
  trans: TranslationBundle,
  { reason, left }: Pick<IEnd, 'reason' | 'left'>
): string {
  const duration = durationText(toTheMinute(left));
  switch (reason) {
    case 'idle':
      return trans.__('idle: %1 left', duration);
    case 'budget':
      return trans.__('budget spent: %1 left', duration);
    default:
      return trans.__('%1 left', duration);
  }
}

/** What is said before the end. Toasts cut what is longer than 140 characters. */
export function warningText(
  trans: TranslationBundle,
  { reason, left }: Pick<IEnd, 'reason' | 'left'>
): string {
  const minutes = Math.max(1, Math.round(left / MINUTE_S));
  const duration = trans._n('%1 minute', '%1 minutes', minutes);
  switch (reason) {
    case 'idle':
      return trans.__(
        'Nothing happens in this workspace: it ends in %1, unless you go on working.',
        duration
      );
    case 'budget':
      return trans.__(
        "The month's budget is spent: this workspace ends in %1.",
        duration
      );
    default:
      return trans.__(
        'The lifetime of this workspace is over in %1.',
        duration
      );
  }
}

/** What a button says that gives more time; the price comes as text. */
export function extensionText(
  trans: TranslationBundle,
  { seconds, cost }: NonNullable<Workload['extension']>
): string {
  return trans.__('+%1 h for %2', numberText(seconds / HOUR_S), cost.text);
}
