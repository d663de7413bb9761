/** The client: every call of the platform that the panels make, and no other. */
import { URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';
import type { TranslationBundle } from '@jupyterlab/translation';
import { MISSING_EXTENSION, Problem, readProblem } from './problem';
import type {
  App,
  AppRequest,
  Calendar,
  Catalogue,
  Channel,
  Comparison,
  Deployment,
  DeploymentRequest,
  Estimate,
  EstimateRequest,
  Identity,
  IPipelineFile,
  Key,
  KeyRequest,
  Model,
  ModelVersion,
  NewSchedule,
  NotebookSource,
  Notices,
  Preview,
  PreviewRequest,
  RegisterRequest,
  ResumeRequest,
  Run,
  RunDetail,
  RunRequest,
  Schedule,
  ScheduleChange,
  ScheduleRequest,
  Share,
  Source,
  Spend,
  TrackedRunPage,
  Usage,
  Workload
} from './types';

type Method = 'GET' | 'POST' | 'PATCH' | 'DELETE';
type Noun = 'apps' | 'deployments' | 'runs' | 'schedules';

export class Client {
  constructor(
    private readonly settings: ServerConnection.ISettings,
    private readonly trans: TranslationBundle
  ) {}

  readonly me = () => this.get<Identity>('me');
  readonly catalogue = () => this.get<Catalogue>('compute');
  readonly workspace = () => this.get<Workload>('workloads/self');
  readonly spend = () => this.get<Spend>('spend');
  readonly trackedRuns = (page?: string) =>
    this.get<TrackedRunPage>(`tracked-runs${queryOf({ page })}`);
  readonly models = () => this.get<Model[]>('models');
  readonly deployments = () => this.get<Deployment[]>('deployments');
  readonly schedules = () => this.get<Schedule[]>('schedules');
  readonly runs = () => this.get<Run[]>('runs');
  readonly notices = () => this.get<Notices>('notices');
  readonly channels = () => this.get<Channel[]>('channels');
  readonly apps = () => this.get<App[]>('apps');
  /** The pipelines that this workspace holds. */
  readonly pipelines = async () =>
    JSON.parse(await this.ask('GET', 'pipelines')) as IPipelineFile[];

  estimate(wish: EstimateRequest): Promise<Estimate> {
    return this.post('estimate', wish);
  }
  preview(wish: PreviewRequest): Promise<Preview> {
    return this.post('schedules/preview', wish);
  }
  register(wish: RegisterRequest): Promise<ModelVersion> {
    return this.post('models', wish);
  }
  deploy(wish: DeploymentRequest): Promise<Deployment> {
    return this.post('deployments', wish);
  }
  schedule(wish: ScheduleRequest): Promise<NewSchedule> {
    return this.post('schedules', wish);
  }
  previewRun(wish: RunRequest): Promise<Estimate> {
    return this.post('runs/preview', wish);
  }
  run(wish: RunRequest): Promise<Run> {
    return this.post('runs', wish);
  }
  publish(wish: AppRequest): Promise<App> {
    return this.post('apps', wish);
  }
  /** What of a source is another in a second one. */
  compare(before: string, after: string): Promise<Comparison> {
    return this.get(`sources/${before}/diff/${after}`);
  }
  /** What ran and comes due in the seven days from a day on, in a time zone. */
  calendar(first: string, time_zone: string): Promise<Calendar> {
    return this.get(`calendar${queryOf({ first, time_zone })}`);
  }
  changeSchedule(id: string, change: ScheduleChange): Promise<Schedule> {
    return this.json('PATCH', `schedules/${id}`, change);
  }
  runSchedule(id: string): Promise<Run> {
    return this.post(`schedules/${id}/run`);
  }
  /** A run with its step runs and their cells. */
  runDetail(id: string): Promise<RunDetail> {
    return this.get(`runs/${id}`);
  }
  /** Run again what failed, or a step and what follows it. */
  resumeRun(id: string, wish: ResumeRequest): Promise<Run> {
    return this.post(`runs/${id}/resume`, wish);
  }
  /** Say which notices were seen. */
  see(ids: readonly string[]): Promise<Notices> {
    return this.post('notices/seen', { ids });
  }
  stopRun(id: string): Promise<Run> {
    return this.post(`runs/${id}/stop`);
  }
  startDeployment(id: string): Promise<Deployment> {
    return this.post(`deployments/${id}/start`);
  }
  stopDeployment(id: string): Promise<Deployment> {
    return this.post(`deployments/${id}/stop`);
  }
  makeKey(id: string, wish: KeyRequest): Promise<Key> {
    return this.post(`deployments/${id}/keys`, wish);
  }
  startApp(id: string): Promise<App> {
    return this.post(`apps/${id}/start`);
  }
  stopApp(id: string): Promise<App> {
    return this.post(`apps/${id}/stop`);
  }
  share(id: string, share: Share): Promise<App> {
    return this.post(`apps/${id}/shares`, share);
  }
  unshare(id: string, share: Share): Promise<App> {
    const name = share.user == null ? 'group' : 'user';
    const query = queryOf({ [name]: share[name] ?? '' });
    return this.json('DELETE', `apps/${id}/shares${query}`);
  }
  async remove(noun: Noun, id: string): Promise<void> {
    await this.ask('DELETE', `api/${noun}/${id}`);
  }
  /** Let a workload of this ledger entry run longer, at the price that it has. */
  extend(entry: string, seconds: number): Promise<Workload> {
    return this.post(`workloads/${entry}/extend`, { seconds });
  }
  /** What the workload of a ledger entry has used. */
  usage(entry: string): Promise<Usage> {
    return this.get(`workloads/${entry}/usage`);
  }
  /** Say that somebody is at work in this workspace. */
  async present(): Promise<void> {
    await this.ask('POST', 'presence');
  }
  /** Where the ledger is, as a file for a spreadsheet. */
  ledgerUrl(): string {
    return this.url('api/ledger?format=csv');
  }

  /** The HTML of an executed notebook. Show it in a sandbox only. */
  report(id: string, step?: string): Promise<string> {
    return this.ask('GET', `api/runs/${id}/report${queryOf({ step })}`);
  }
  /** The executed notebook of a step run, else of the one that tells most. */
  executedNotebook(id: string, step?: string): Promise<string> {
    return this.ask('GET', `api/runs/${id}/notebook${queryOf({ step })}`);
  }
  /** The last of what a run's process has printed. */
  runLog(id: string): Promise<string> {
    return this.ask('GET', `api/runs/${id}/log`);
  }
  /** The notebook's copy that is kept with a tracked run, as nbformat JSON. */
  keptNotebook(id: string): Promise<string> {
    return this.ask('GET', `api/tracked-runs/${id}/notebook`);
  }

  /** A page of the guides, as Markdown. */
  guide(page: string): Promise<string> {
    return this.ask('GET', `help/${encodeURIComponent(page)}`);
  }
  /** Where that page is. */
  guideUrl(page: string): string {
    return this.url(`help/${encodeURIComponent(page)}`);
  }

  /**
   * Pin what a run shall execute as it is now, with all that belongs to it; `name` is
   * the one that it has within an earlier source, if it is to keep it.
   */
  packNotebook(path: string, name?: string): Promise<NotebookSource> {
    return this.pack({ path, runs: true, name });
  }
  /** Pin a file of this workspace as it is now, with the modules beside it. */
  packFile(path: string): Promise<Source> {
    return this.pack({ path, runs: false });
  }

  private async pack<T extends Source>(wish: {
    readonly path: string;
    readonly runs: boolean;
    readonly name?: string | undefined;
  }): Promise<T> {
    const body = JSON.stringify(wish);
    return JSON.parse(await this.ask('POST', 'sources', body)) as T;
  }
  private get<T>(path: string): Promise<T> {
    return this.json('GET', path);
  }
  private post<T>(path: string, body?: object): Promise<T> {
    return this.json('POST', path, body);
  }
  private async json<T>(
    method: Method,
    path: string,
    body?: object
  ): Promise<T> {
    const text = body === undefined ? undefined : JSON.stringify(body);
    return JSON.parse(await this.ask(method, `api/${path}`, text)) as T;
  }

  private async ask(
    method: Method,
    path: string,
    body?: string
  ): Promise<string> {
    const url = this.url(path);
    const headers = { 'Content-Type': 'application/json' };
    const init: RequestInit =
      body === undefined ? { method } : { method, body, headers };
    const response = await this.reach(url, init);
    const text = await response.text();
    if (!response.ok) {
      throw this.inWords(readProblem(response.status, text));
    }
    return text;
  }

  private url(path: string): string {
    return URLExt.join(this.settings.baseUrl, 'hubyard') + `/${path}`;
  }

  private async reach(url: string, init: RequestInit): Promise<Response> {
    try {
      return await ServerConnection.makeRequest(url, init, this.settings);
    } catch {
      throw new Problem(
        0,
        this.trans.__('This workspace does not answer; is it still running?')
      );
    }
  }

  private inWords(problem: Problem): Problem {
    if (problem.message === MISSING_EXTENSION) {
      const text = this.trans.__(
        'The server half of Hubyard is missing here: install hubyard and restart the workspace.'
      );
      return new Problem(problem.status, text);
    }
    const { status, field } = problem;
    return problem.message === ''
      ? new Problem(status, this.trans.__('Status %1.', status), field)
      : problem;
  }
}

/** A query with what is given; nothing, where nothing is. */
function queryOf(values: Readonly<Record<string, string | undefined>>): string {
  const given = Object.entries(values).filter(
    (pair): pair is [string, string] => pair[1] !== undefined
  );
  return given.length === 0 ? '' : `?${new URLSearchParams(given).toString()}`;
}
