/** A problem: why a call was refused, in words for the person who made it. */
import type { ProblemBody } from './types';

export class Problem extends Error {
  constructor(
    readonly status: number,
    message: string,
    /** The part of the request that is wrong, where the platform names one. */
    readonly field: string | null = null
  ) {
    super(message);
    this.name = 'Problem';
  }
}

/** The server half is not there: Jupyter's own "not found" is a page, not JSON. */
export const MISSING_EXTENSION = 'missing-extension';

/** Read the body of an answer of 400 and above. */
export function readProblem(status: number, text: string): Problem {
  const body = parse(text);
  if (body !== null) {
    return new Problem(status, body.message, body.field ?? null);
  }
  return new Problem(status, status === 404 ? MISSING_EXTENSION : '');
}

function parse(text: string): ProblemBody | null {
  try {
    const body = JSON.parse(text) as Partial<ProblemBody> | null;
    return typeof body?.message === 'string' ? (body as ProblemBody) : null;
  } catch {
    return null;
  }
}
