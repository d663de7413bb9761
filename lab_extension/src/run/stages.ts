/**
 * Stages: the steps of a pipeline, each with its step runs.
 *
 * A step that fans out has several step runs; a person thinks of it as one.
 */
import type { StepRecord, StepStatus } from '../api/types';

export interface IStage {
  readonly name: string;
  readonly status: StepStatus;
  readonly runs: readonly StepRecord[];
  /** The steps that it waits for, of those that are there. */
  readonly after: readonly string[];
}

/** What one step run says of its whole step: the first of these that there is. */
const LOUDEST: readonly StepStatus[] = [
  'failed',
  'running',
  'waiting',
  'stopped',
  'not-run',
  'succeeded',
  'skipped'
];
const BEFORE_ITS_END: readonly StepStatus[] = ['waiting', 'running'];

export function isOver(step: Pick<StepRecord, 'status'>): boolean {
  return !BEFORE_ITS_END.includes(step.status);
}

/** The steps in the order of their records. */
export function stagesOf(steps: readonly StepRecord[]): IStage[] {
  const names = [...new Set(steps.map(each => each.step))];
  return names.map(name => {
    const runs = steps.filter(each => each.step === name);
    const after = new Set(runs.flatMap(each => each.after));
    return {
      name,
      status: statusOf(runs),
      runs,
      after: names.filter(each => after.has(each))
    };
  });
}

function statusOf(runs: readonly StepRecord[]): StepStatus {
  const loudest = LOUDEST.find(status => runs.some(r => r.status === status))!;
  const begun = loudest === 'waiting' && runs.some(isOver);
  return begun ? 'running' : loudest;
}

/** The step run that tells most of its step: one that failed, else the first. */
export function tellingOf(stage: IStage): StepRecord {
  const failed = stage.runs.find(each => each.status === 'failed');
  return failed ?? stage.runs[0]!;
}
