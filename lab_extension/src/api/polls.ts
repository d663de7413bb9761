/** The polls of all sections: each question of the platform is asked in one place. */
import type { Client } from './client';
import { type Pace, Poll } from './poll';
import type {
  App,
  Catalogue,
  Deployment,
  Identity,
  Model,
  Run,
  Schedule,
  Spend,
  Status,
  TrackedRunPage,
  Workload
} from './types';

const CALM_MS = 5_000;
const LIVELY_MS = 1_000;
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

const calm: Pace<unknown> = () => CALM_MS;
const once: Pace<unknown> = data => (data === null ? CALM_MS : Infinity);
const lively: Pace<readonly IMoves[]> = data =>
  data?.some(isUnsettled) === true ? LIVELY_MS : CALM_MS;
const tracked: Pace<TrackedRunPage> = data =>
  data?.runs.some(run => run.status === 'RUNNING') === true
    ? LIVELY_MS
    : CALM_MS;

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
  readonly apps: Poll<App[]>;
}

export function createPolls(client: Client): IPolls {
  return {
    me: new Poll(client.me, once),
    catalogue: new Poll(client.catalogue, once),
    workspace: new Poll(client.workspace, calm),
    spend: new Poll(client.spend, calm),
    trackedRuns: new Poll(client.trackedRuns, tracked),
    models: new Poll(client.models, calm),
    deployments: new Poll(client.deployments, lively),
    schedules: new Poll(client.schedules, calm),
    runs: new Poll(client.runs, lively),
    apps: new Poll(client.apps, lively)
  };
}
