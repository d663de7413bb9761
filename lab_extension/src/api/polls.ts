/** The polls of all sections: each question of the platform is asked in one place. */
import { secondsBetween } from '../format';
import { ownTimeZone } from '../timing';
import { firstOfWeek } from '../week/days';
import type { Client } from './client';
import { Pages } from './pages';
import { type Pace, Poll } from './poll';
import type {
  App,
  Calendar,
  Catalogue,
  Deployment,
  Identity,
  IPipelineFile,
  Model,
  Notices,
  Run,
  RunDetail,
  Schedule,
  Spend,
  Status,
  TrackedRunPage,
  Workload
} from './types';

const CALM_MS = 5_000;
/** Files are looked for all over the workspace. */
const SLOW_MS = 20_000;
const LIVELY_MS = 1_000;
/** A kernel that was killed leaves its tracked run running for ever. */
const LIVELY_FOR_S = 10 * 60;
const UNSETTLED: readonly Status[] = ['pending', 'starting', 'running'];

interface IMoves {
  readonly status: Status;
  readonly target: string;
}

/** Whether something will soon be other than it is now. */
export function isUnsettled({ status, target }: IMoves): boolean {
  return (
    UNSETTLED.includes(status) || (status === 'ready' && target === 'stopped')
  );
}

const slow: Pace<unknown> = () => SLOW_MS;
const calm: Pace<unknown> = () => CALM_MS;
const once: Pace<unknown> = data => (data === null ? CALM_MS : Infinity);
const lively: Pace<readonly IMoves[]> = data =>
  data?.some(isUnsettled) === true ? LIVELY_MS : CALM_MS;

/** Lively while a run has not ended. */
export const runPace: Pace<RunDetail> = run => lively(run && [run]);

/** Lively while a tracked run is young: one that takes long needs no second hand. */
export function trackedPace(
  data: TrackedRunPage | null,
  now = Date.now()
): number {
  const young = data?.runs.some(
    run =>
      run.status === 'RUNNING' &&
      secondsBetween(run.started_at, null, now) < LIVELY_FOR_S
  );
  return young === true ? LIVELY_MS : CALM_MS;
}

export interface IPolls {
  readonly me: Poll<Identity>;
  readonly catalogue: Poll<Catalogue>;
  readonly workspace: Poll<Workload>;
  readonly spend: Poll<Spend>;
  readonly trackedRuns: Poll<TrackedRunPage>;
  readonly models: Poll<Model[]>;
  readonly deployments: Poll<Deployment[]>;
  readonly schedules: Poll<Schedule[]>;
  readonly runs: Poll<Run[]>;
  readonly pipelines: Poll<IPipelineFile[]>;
  readonly apps: Poll<App[]>;
  /** A poll of one run, for who shows it. */
  readonly ofRun: (id: string) => Poll<RunDetail>;
  /** A poll of the week so many weeks from this one. */
  readonly ofWeek: (offset: number) => Poll<Calendar>;
  readonly notices: Poll<Notices>;
  /** Ask for one page of tracked runs more. */
  readonly olderTrackedRuns: () => Promise<void>;
}

export function createPolls(client: Client): IPolls {
  const pages = new Pages(client.trackedRuns);
  const trackedRuns = new Poll(pages.read, page => trackedPace(page));
  return {
    me: new Poll(client.me, once),
    catalogue: new Poll(client.catalogue, once),
    workspace: new Poll(client.workspace, calm),
    spend: new Poll(client.spend, calm),
    trackedRuns,
    olderTrackedRuns: () => {
      pages.further();
      return trackedRuns.refresh();
    },
    models: new Poll(client.models, calm),
    deployments: new Poll(client.deployments, lively),
    schedules: new Poll(client.schedules, calm),
    runs: new Poll(client.runs, lively),
    pipelines: new Poll(client.pipelines, slow),
    apps: new Poll(client.apps, lively),
    ofRun: id => new Poll(() => client.runDetail(id), runPace),
    ofWeek: offset =>
      new Poll(() => client.calendar(firstOfWeek(offset), ownTimeZone()), calm),
    notices: new Poll(client.notices, calm)
  };
}
