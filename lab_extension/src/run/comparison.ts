/** A comparison of two runs of one file: what they were given, how long steps took. */
import type { Run, StepRecord } from '../api/types';
import { stagesOf } from './stages';

/** What the one has and the other; null: it has none. */
export type Pair<T> = readonly [T | null, T | null];

export interface IDifference {
  readonly name: string;
  /** As JSON. */
  readonly values: Pair<string>;
}

export interface IStepPair {
  readonly name: string;
  readonly seconds: Pair<number>;
}

type Given = Pick<Run, 'parameters'>;

/** The parameters that the two were not given alike. */
export function differencesOf(one: Given, other: Given): IDifference[] {
  const names = [
    ...new Set([
      ...Object.keys(one.parameters),
      ...Object.keys(other.parameters)
    ])
  ];
  return names
    .map(name => ({
      name,
      values: [written(one, name), written(other, name)] as const
    }))
    .filter(({ values }) => values[0] !== values[1]);
}

function written({ parameters }: Given, name: string): string | null {
  return name in parameters ? JSON.stringify(parameters[name]) : null;
}

/** Each step that one of the two has, and how long it took in both. */
export function stepPairs(
  one: readonly StepRecord[],
  other: readonly StepRecord[]
): IStepPair[] {
  const [mine, theirs] = [one, other].map(secondsByStep);
  const names = [...new Set([...mine!.keys(), ...theirs!.keys()])];
  return names.map(name => ({
    name,
    seconds: [mine!.get(name) ?? null, theirs!.get(name) ?? null]
  }));
}

function secondsByStep(
  steps: readonly StepRecord[]
): Map<string, number | null> {
  return new Map(stagesOf(steps).map(({ name, runs }) => [name, lasted(runs)]));
}

/** From the first start to the last end; null: not all of them have both. */
export function lasted(runs: readonly StepRecord[]): number | null {
  const begun = runs.filter(each => each.started_at != null);
  if (begun.length === 0 || begun.some(each => each.ended_at == null)) {
    return null;
  }
  const starts = begun.map(each => Date.parse(each.started_at!));
  const ends = begun.map(each => Date.parse(each.ended_at!));
  return (Math.max(...ends) - Math.min(...starts)) / 1000;
}
