/** Statuses as people read them: an icon, a tone and a word, never a colour alone. */
import type { TranslationBundle } from '@jupyterlab/translation';
import type { LabIcon } from '@jupyterlab/ui-components';
import type { Status } from './api/types';
import {
  failedIcon,
  leftOutIcon,
  pausedIcon,
  readyIcon,
  runningStatusIcon,
  stoppedIcon,
  succeededIcon,
  waitingIcon
} from './components/icons';
import { clockText } from './format';

export type Tone = 'good' | 'bad' | 'busy' | 'quiet';

export interface ILook {
  readonly icon: LabIcon;
  readonly tone: Tone;
}

const LOOKS: Readonly<Record<string, ILook>> = {
  pending: { icon: waitingIcon, tone: 'busy' },
  queued: { icon: waitingIcon, tone: 'busy' },
  starting: { icon: waitingIcon, tone: 'busy' },
  running: { icon: runningStatusIcon, tone: 'busy' },
  ready: { icon: readyIcon, tone: 'good' },
  succeeded: { icon: succeededIcon, tone: 'good' },
  failed: { icon: failedIcon, tone: 'bad' },
  stopped: { icon: stoppedIcon, tone: 'quiet' },
  waiting: { icon: waitingIcon, tone: 'quiet' },
  skipped: { icon: leftOutIcon, tone: 'quiet' },
  'not-run': { icon: leftOutIcon, tone: 'quiet' },
  due: { icon: waitingIcon, tone: 'quiet' },
  paused: { icon: pausedIcon, tone: 'quiet' },
  active: { icon: waitingIcon, tone: 'good' }
};

const OF_MLFLOW: Readonly<Record<string, string>> = {
  SCHEDULED: 'pending',
  RUNNING: 'running',
  FINISHED: 'succeeded',
  FAILED: 'failed',
  KILLED: 'stopped'
};

/** Our word for MLflow's status of a tracked run. */
export function trackedStatus(status: string): string {
  return OF_MLFLOW[status] ?? status.toLowerCase();
}

/** Our word for where a run is: one that has not begun waits for its turn. */
export function runStatus(status: Status): string {
  return status === 'pending' ? 'queued' : status;
}

export function lookOf(status: string): ILook {
  return LOOKS[status] ?? { icon: stoppedIcon, tone: 'quiet' };
}

export function statusText(trans: TranslationBundle, status: string): string {
  switch (status) {
    case 'pending':
      return trans.__('pending');
    case 'queued':
      return trans.__('queued');
    case 'starting':
      return trans.__('starting');
    case 'running':
      return trans.__('running');
    case 'ready':
      return trans.__('ready');
    case 'succeeded':
      return trans.__('succeeded');
    case 'failed':
      return trans.__('failed');
    case 'stopped':
      return trans.__('stopped');
    case 'paused':
      return trans.__('paused');
    case 'active':
      return trans.__('on schedule');
    default:
      return leftText(trans, status);
  }
}

/** What only a fire, or a step or a cell of a run can be. */
function leftText(trans: TranslationBundle, status: string): string {
  switch (status) {
    case 'due':
      return trans.__('due');
    case 'waiting':
      return trans.__('waiting');
    case 'skipped':
      return trans.__('skipped');
    case 'not-run':
      return trans.__('not run');
    default:
      return status;
  }
}

/** What is said of an answer that could not be renewed. */
export function staleText(trans: TranslationBundle, since: number): string {
  return trans.__('Stale: this is how it was at %1.', clockText(since));
}

const ACTIVE: readonly Status[] = ['pending', 'starting', 'running', 'ready'];

/** Whether something is, or soon will be, running and costing. */
export function isActive(status: Status): boolean {
  return ACTIVE.includes(status);
}
