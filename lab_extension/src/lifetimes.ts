/** Which lifetimes a compute profile offers, in seconds. */
import type { Compute } from './api/types';

const HOUR_S = 3_600;
const DAY_S = 24 * HOUR_S;
const USUAL_S = [HOUR_S, 4 * HOUR_S, 8 * HOUR_S, DAY_S, 7 * DAY_S, 30 * DAY_S];

/** The usual lifetimes that fit, with the profile's default and longest, in order. */
export function lifetimesOf(compute: Compute): number[] {
  const { default_lifetime_s, longest_lifetime_s } = compute;
  const fitting = USUAL_S.filter(usual => usual < longest_lifetime_s);
  const all = new Set([...fitting, default_lifetime_s, longest_lifetime_s]);
  return [...all].sort((a, b) => a - b);
}
