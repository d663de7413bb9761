import type { Contents } from '@jupyterlab/services';
import { type Files, isThere, keepCopy } from '../copies';

/** Files in memory; they refuse as Jupyter's own do. */
class Shelf implements Files {
  readonly kept = new Map<string, unknown>();

  get(path: string): Promise<Contents.IModel> {
    return this.kept.has(path)
      ? Promise.resolve({ path } as Contents.IModel)
      : Promise.reject(refusal(404));
  }
  save(
    path: string,
    model: Partial<Contents.IModel> = {}
  ): Promise<Contents.IModel> {
    this.kept.set(path, model.content);
    return Promise.resolve({ path } as Contents.IModel);
  }
}

class BusyShelf extends Shelf {
  override get(): Promise<Contents.IModel> {
    return Promise.reject(refusal(503));
  }
}

function refusal(status: number): Error {
  return Object.assign(new Error(`Status ${status}`), { response: { status } });
}

const fetched = () => Promise.resolve('{"cells": []}');

test('a copy is fetched where there is none', async () => {
  const shelf = new Shelf();
  await keepCopy(shelf, 'a.ipynb', fetched);
  expect(shelf.kept.get('a.ipynb')).toEqual({ cells: [] });
});

test('a copy that its owner has changed stays as it is', async () => {
  const shelf = new Shelf();
  shelf.kept.set('a.ipynb', { cells: ['changed'] });
  await keepCopy(shelf, 'a.ipynb', fetched);
  expect(shelf.kept.get('a.ipynb')).toEqual({ cells: ['changed'] });
});

test('only what is not found is gone', async () => {
  expect(await isThere(new Shelf(), 'a.ipynb')).toBe(false);
  await expect(isThere(new BusyShelf(), 'a.ipynb')).rejects.toThrow('503');
});

test('nothing is written over where it cannot be seen what is there', async () => {
  const shelf = new BusyShelf();
  await expect(keepCopy(shelf, 'a.ipynb', fetched)).rejects.toThrow('503');
  expect(shelf.kept.size).toBe(0);
});
