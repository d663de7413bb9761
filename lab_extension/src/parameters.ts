/** Parameters: what is typed into a form, read as the JSON that a run is given. */
import type { Parameter } from './api/types';

/** What stands in the field: a tick, or text. */
export type Draft = boolean | string;
export type Drafts = Readonly<Record<string, Draft>>;

/** What a field must hold instead of what it holds. */
export type Mistake = 'int' | 'float' | 'list' | 'dict' | 'json';

export type Reading =
  { readonly value: unknown } | { readonly mistake: Mistake };

/** The field's content for a parameter's default. */
export function draftOf(parameter: Parameter): Draft {
  const { type, default: value } = parameter;
  if (type === 'bool') {
    return value === true;
  }
  return typeof value === 'string' && type === 'str'
    ? value
    : JSON.stringify(value);
}

/** Read a field as its parameter's type. */
export function readDraft(parameter: Parameter, draft: Draft): Reading {
  if (typeof draft === 'boolean' || parameter.type === 'str') {
    return { value: draft };
  }
  const value = parse(draft);
  const mistake = mistakeIn(parameter.type, value);
  return mistake === null ? { value } : { mistake };
}

export interface IGiven {
  /** The parameters that differ from their defaults. */
  readonly values: Record<string, unknown>;
  readonly mistakes: Readonly<Record<string, Mistake>>;
}

/** What a run is given: only what was changed, the notebook holds the rest. */
export function givenParameters(
  parameters: readonly Parameter[],
  drafts: Drafts
): IGiven {
  const values: Record<string, unknown> = {};
  const mistakes: Record<string, Mistake> = {};
  for (const parameter of parameters) {
    const draft = drafts[parameter.name];
    if (draft === undefined || draft === draftOf(parameter)) {
      continue;
    }
    const reading = readDraft(parameter, draft);
    if ('mistake' in reading) {
      mistakes[parameter.name] = reading.mistake;
    } else {
      values[parameter.name] = reading.value;
    }
  }
  return { values, mistakes };
}

/** undefined: no JSON. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text, sendable) as unknown;
  } catch {
    return undefined;
  }
}

/** 1e999 is read as infinity, for which JSON has no word. */
function sendable(_: string, value: unknown): unknown {
  if (typeof value === 'number' && !Number.isFinite(value)) {
    throw new RangeError();
  }
  return value;
}

function mistakeIn(type: Parameter['type'], value: unknown): Mistake | null {
  switch (type) {
    case 'int':
      return Number.isSafeInteger(value) ? null : 'int';
    case 'float':
      return typeof value === 'number' ? null : 'float';
    case 'list':
      return Array.isArray(value) ? null : 'list';
    case 'dict':
      return isPlain(value) ? null : 'dict';
    default:
      return value === undefined ? 'json' : null;
  }
}

function isPlain(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
