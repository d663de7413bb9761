/** The platform's words, as its OpenAPI document gives them: short names, no shapes. */
import type { components } from './schema';

type Schemas = components['schemas'];
/** A wish that leaves some of its fields to the platform. */
type Defaulted<T, K extends keyof T> = Omit<T, K> & Partial<Pick<T, K>>;

export type App = Schemas['App'];
export type AppRequest = Schemas['AppRequest'];
export type Budget = Schemas['Budget'];
export type Calendar = Schemas['Calendar'];
export type CalendarDay = Schemas['CalendarDay'];
export type Catalogue = Schemas['Catalogue'];
export type CellRecord = Schemas['CellRecord'];
export type Channel = Schemas['Channel'];
export type ChangedFile = Schemas['ChangedFile'];
export type Coming = Schemas['Coming'];
export type Comparison = Schemas['Comparison'];
export type Compute = Schemas['Compute'];
export type Day = Schemas['Day'];
export type Deployment = Schemas['Deployment'];
export type DeploymentRequest = Schemas['DeploymentRequest'];
export type Dropped = Schemas['Dropped'];
export type EndReason = Schemas['EndReason'];
export type Estimate = Schemas['Estimate'];
export type EstimateRequest = Schemas['EstimateRequest'];
export type Identity = Schemas['Identity'];
export type Key = Schemas['Key'];
export type KeyRequest = Schemas['KeyRequest'];
export type Kind = Schemas['Kind'];
export type Model = Schemas['Model'];
export type ModelVersion = Schemas['ModelVersion'];
export type Money = Schemas['Money'];
export type NewSchedule = Schemas['NewSchedule'];
export type NotebookSource = Schemas['NotebookSource'];
export type Notice = Schemas['Notice'];
export type Notices = Schemas['Notices'];
export type Parameter = Schemas['Parameter'];
export type Part = Schemas['Part'];
export type Past = Schemas['Past'];
export type Preview = Schemas['Preview'];
export type PreviewRequest = Schemas['PreviewRequest'];
/** A file of this workspace that describes a pipeline. */
export interface IPipelineFile {
  readonly path: string;
  readonly name: string;
  /** null: they cannot be read; a run says what is wrong with them. */
  readonly steps: number | null;
}
export type ProblemBody = Schemas['Problem'];
export type RegisterRequest = Schemas['RegisterRequest'];
export type ResumeRequest = Schemas['ResumeRequest'];
export type Run = Schemas['Run'];
export type RunDetail = Schemas['RunDetail'];
export type RunRequest = Schemas['RunRequest'];
export type Sample = Schemas['Sample'];
export type Schedule = Schemas['Schedule'];
export type ScheduleChange = Schemas['ScheduleChange'];
export type ScheduleRequest = Defaulted<Schemas['ScheduleRequest'], 'grace_s'>;
export type SchedulePolicy = Pick<Schedule, 'overlap' | 'missed'>;
export type Share = Schemas['Share'];
export type Source = Schemas['Source'];
export type Spend = Schemas['Spend'];
export type SpendLine = Schemas['SpendLine'];
export type Status = Schemas['Status'];
export type StepRecord = Schemas['StepRecord'];
export type StepStatus = Schemas['StepStatus'];
export type TrackedRun = Schemas['TrackedRun'];
export type TrackedRunPage = Schemas['TrackedRunPage'];
export type TriggerRequest = Schemas['TriggerRequest'];
export type Usage = Schemas['Usage'];
export type Workload = Schemas['Workload'];
