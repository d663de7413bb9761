/** Sane names to begin a dialog with. */
import type { TrackedRun } from './api/types';
import { stem } from './format';

const DEFAULT_EXPERIMENT = 'Default';
// What MLflow refuses in a registered model's name.
const REFUSED = /[/:.%"'\p{Cc}]+/gu;

/** A name that MLflow takes for a registered model. */
export function modelName(text: string): string {
  return text
    .replace(REFUSED, '-')
    .replace(/^[-\s]+|[-\s]+$/g, '')
    .slice(0, 250);
}

/** The name to propose for the model of a run: its experiment, notebook or run. */
export function proposedModelName(run: TrackedRun): string {
  const named =
    run.experiment === DEFAULT_EXPERIMENT ? '' : stem(run.experiment);
  const notebook = run.notebook == null ? '' : stem(run.notebook);
  return (
    [named, notebook, run.name, 'model'].map(modelName).find(Boolean) ?? ''
  );
}
