/** A translation that leaves the words as they are, for tests of words. */
import type { TranslationBundle } from '@jupyterlab/translation';

const fill = (text: string, values: readonly unknown[]) =>
  text.replace(/%(\d+)/g, (_, place) => String(values[Number(place) - 1]));

export const plain = {
  __: (text: string, ...values: unknown[]) => fill(text, values),
  _n: (one: string, many: string, count: number, ...values: unknown[]) =>
    fill(count === 1 ? one : many, [count, ...values])
} as unknown as TranslationBundle;
