/** The platform's words, as its OpenAPI document gives them: short names, no shapes. */
import type { components } from './schema';

type Schemas = components['schemas'];

export type App = Schemas['App'];
export type AppRequest = Schemas['AppRequest'];
export type Catalogue = Schemas['Catalogue'];
export type Compute = Schemas['Compute'];
export type Deployment = Schemas['Deployment'];
export type DeploymentRequest = Schemas['DeploymentRequest'];
export type Estimate = Schemas['Estimate'];
export type EstimateRequest = Schemas['EstimateRequest'];
export type Identity = Schemas['Identity'];
export type Key = Schemas['Key'];
export type KeyRequest = Schemas['KeyRequest'];
export type Kind = Schemas['Kind'];
export type Model = Schemas['Model'];
export type ModelVersion = Schemas['ModelVersion'];
export type NotebookSource = Schemas['NotebookSource'];
export type Parameter = Schemas['Parameter'];
export type Preview = Schemas['Preview'];
export type PreviewRequest = Schemas['PreviewRequest'];
export type ProblemBody = Schemas['Problem'];
export type RegisterRequest = Schemas['RegisterRequest'];
export type Run = Schemas['Run'];
export type RunRequest = Schemas['RunRequest'];
export type Schedule = Schemas['Schedule'];
export type ScheduleChange = Schemas['ScheduleChange'];
export type ScheduleRequest = Schemas['ScheduleRequest'];
export type Share = Schemas['Share'];
export type Source = Schemas['Source'];
export type Spend = Schemas['Spend'];
export type SpendLine = Schemas['SpendLine'];
export type Status = Schemas['Status'];
export type TrackedRun = Schemas['TrackedRun'];
export type TrackedRunPage = Schemas['TrackedRunPage'];
export type Workload = Schemas['Workload'];
