/**
 * Parameters: what is typed into a form.
 *
 * The platform reads a text as its parameter is declared, as it does for a command: a
 * browser's own numbers are not exact, and its JSON has no dates.
 */
import type { Parameter, RunRequest } from './api/types';

/** What stands in the field: a tick, or text. */
export type Draft = boolean | string;
export type Drafts = Readonly<Record<string, Draft>>;

export type Given = Pick<RunRequest, 'parameters' | 'parameter_texts'>;

/** The field's content for a parameter's default. */
export function draftOf(parameter: Parameter): Draft {
  const { declared, default: value } = parameter;
  if (declared === 'bool' && typeof value === 'boolean') {
    return value;
  }
  if (typeof value === 'string') {
    return isPlain(parameter) || !isTextIn(declared) ? value : quoted(value);
  }
  const isNone = value == null;
  return isNone && !takesNone(declared) ? '' : JSON.stringify(value);
}

/** What a run is given: only what was changed, the notebook holds the rest. */
export function givenParameters(
  parameters: readonly Parameter[],
  drafts: Drafts
): Given {
  const values: Record<string, boolean | string> = {};
  const texts: Record<string, string> = {};
  for (const parameter of parameters) {
    const draft = drafts[parameter.name];
    if (draft === undefined || draft === draftOf(parameter)) {
      continue;
    }
    if (typeof draft === 'boolean' || isPlain(parameter)) {
      values[parameter.name] = draft;
    } else {
      texts[parameter.name] = draft;
    }
  }
  return { parameters: values, parameter_texts: texts };
}

/** The parameter that a refusal names. */
export function parameterIn(field: string | null): string | null {
  return /^parameters\.(.+)$/.exec(field ?? '')?.[1] ?? null;
}

/** Whether the text is the value, whatever it looks like. */
function isPlain({ declared }: Parameter): boolean {
  return declared === 'str';
}

/** Whether a text would be read as something else first. */
function isTextIn(declared: string): boolean {
  return (
    /\b(Any|str)\b/.test(declared) && !/^(list|dict|set|tuple)/.test(declared)
  );
}

function takesNone(declared: string): boolean {
  return /\b(None|Any)\b/.test(declared);
}

function quoted(text: string): string {
  return JSON.stringify(text);
}
