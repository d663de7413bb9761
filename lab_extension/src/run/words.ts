/** What is said of runs and their steps in the panel and in the view of a run. */
import type { TranslationBundle } from '@jupyterlab/translation';
import type { Run, StepRecord } from '../api/types';
import { durationText, sizeText } from '../format';

type Counted = Pick<
  Run,
  'cells_done' | 'cells_total' | 'steps_done' | 'steps_total'
>;

/** How far a run is: `step 2 of 5, cell 7 of 12`; null: nothing is known yet. */
export function progressText(
  trans: TranslationBundle,
  { cells_done, cells_total, steps_done, steps_total }: Counted
): string | null {
  const step = Math.min(steps_done + 1, steps_total);
  const cell = Math.min(cells_done + 1, cells_total);
  const parts = [
    steps_total > 1 ? trans.__('step %1 of %2', step, steps_total) : null,
    cells_total > 0 ? trans.__('cell %1 of %2', cell, cells_total) : null
  ].filter(part => part !== null);
  return parts.length === 0 ? null : parts.join(', ');
}

/** Why a run has failed, or what it waits for while it is queued. */
export function reasonText({
  failure,
  waits_for
}: Pick<Run, 'failure' | 'waits_for'>): string | null {
  return failure?.message ?? waits_for ?? null;
}

export function costText(
  trans: TranslationBundle,
  { cost, ended_at }: Pick<Run, 'cost' | 'ended_at'>
): string | null {
  if (cost === null) {
    return null;
  }
  return ended_at === null ? trans.__('%1 so far', cost.text) : cost.text;
}

/** Shorter than ten seconds, to a tenth: steps are often quick. */
export function tookText(seconds: number): string {
  return seconds >= 10
    ? durationText(seconds)
    : new Intl.NumberFormat(undefined, {
        style: 'unit',
        unit: 'second',
        unitDisplay: 'narrow',
        maximumFractionDigits: 1
      }).format(Math.max(seconds, 0));
}

/** What one process of a step run has used; nothing where it is not known. */
export function usageTexts(
  trans: TranslationBundle,
  { attempt, cpu_s, peak_bytes }: StepRecord
): (string | null)[] {
  return [
    attempt > 1 ? trans.__('attempt %1', attempt) : null,
    peak_bytes == null ? null : trans.__('at most %1', sizeText(peak_bytes)),
    cpu_s == null ? null : trans.__('%1 of CPU', tookText(cpu_s))
  ];
}

/** What a step run got of a fan-out: `{"lr":0.1}`; null: nothing. */
export function itemText({ item }: StepRecord): string | null {
  return item == null ? null : JSON.stringify(item);
}
