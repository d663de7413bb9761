/** A step run, as a test needs it. */
import type { StepRecord } from '../api/types';

export function step(key: string, more: Partial<StepRecord> = {}): StepRecord {
  const [name] = key.split('.');
  return {
    key,
    step: name!,
    file: `${name}.ipynb`,
    after: [],
    status: 'waiting',
    attempt: 0,
    cells: [],
    reused: false,
    ...more
  };
}

/** A moment of a day, `00:00:07`. */
export function moment(clock: string): string {
  return `2026-11-28T${clock}Z`;
}
