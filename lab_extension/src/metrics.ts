/** Which few metrics of a tracked run stand in its row. */

const WELL_KNOWN = /auc|acc|f1|score|r2|rmse|mae|mape|loss|error/;
const HELD_OUT = /(^|[_./-])(test|val|valid|validation|eval|holdout)([_./-]|$)/;
const TRAINING = /(^|[_./-])(train|training)([_./-]|$)/;

/** The metrics that say most about a model: held-out ones first, then well-known. */
export function mainMetrics(
  metrics: Readonly<Record<string, number>>,
  limit: number
): [string, number][] {
  return Object.entries(metrics)
    .sort(([a], [b]) => weight(b) - weight(a) || a.localeCompare(b))
    .slice(0, limit);
}

function weight(name: string): number {
  const low = name.toLowerCase();
  const place = HELD_OUT.test(low) ? 2 : TRAINING.test(low) ? 0 : 1;
  return 2 * place + (WELL_KNOWN.test(low) ? 1 : 0);
}
