/** A timeline: when each step run began and ended, on the axis of its run. */
import type { RunDetail, StepRecord } from '../api/types';

/** Milliseconds since the epoch. */
export interface IAxis {
  readonly from: number;
  readonly until: number;
}

/** Shares of the axis, from 0 to 1. */
export interface ISpan {
  readonly start: number;
  readonly length: number;
}

type Timed = Pick<StepRecord, 'started_at' | 'ended_at' | 'reused'>;

const MINUTE_S = 60;
const HOUR_S = 3_600;
const DAY_S = 86_400;
const STEPS_S = [
  ...[1, 2, 5, 10, 15, 30].flatMap(each => [each, each * MINUTE_S]),
  ...[1, 2, 3, 6, 12].map(each => each * HOUR_S)
].sort((one, other) => one - other);
const MOST_TICKS = 5;
/** A bar that is shorter cannot be seen. */
const SHORTEST = 0.004;

/** From the run's start to its end, or to now; null: it has not begun. */
export function axisOf(
  run: Pick<RunDetail, 'started_at' | 'ended_at'>,
  now: number
): IAxis | null {
  if (run.started_at == null) {
    return null;
  }
  const from = Date.parse(run.started_at);
  const until = run.ended_at == null ? now : Date.parse(run.ended_at);
  return { from, until: Math.max(until, from + 1) };
}

/** null: it has not begun, or it ran within an earlier run. */
export function spanOf(
  { from, until }: IAxis,
  step: Timed,
  now: number
): ISpan | null {
  if (step.started_at == null || step.reused) {
    return null;
  }
  const whole = until - from;
  const share = (at: number) => Math.min(Math.max((at - from) / whole, 0), 1);
  const end = step.ended_at == null ? now : Date.parse(step.ended_at);
  const start = Math.min(share(Date.parse(step.started_at)), 1 - SHORTEST);
  return { start, length: Math.max(share(end) - start, SHORTEST) };
}

/** Seconds from one tick of an axis to the next: few ticks, at round times. */
export function tickOf({ from, until }: IAxis): number {
  const seconds = (until - from) / 1000;
  const fits = (step: number) => seconds / step <= MOST_TICKS;
  return STEPS_S.find(fits) ?? Math.ceil(seconds / DAY_S / MOST_TICKS) * DAY_S;
}

/** The ticks of an axis, in seconds from its start. */
export function ticksOf(axis: IAxis): number[] {
  const step = tickOf(axis);
  const count = Math.floor((axis.until - axis.from) / 1000 / step);
  return Array.from({ length: count + 1 }, (_, index) => index * step);
}
