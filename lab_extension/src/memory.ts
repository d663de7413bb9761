/** Memory: which levels of budgets this browser was told, whoever sits before it. */
import type { Told } from './budgets';

const NAME = 'hubyard:budgets-told';

export interface IMemory {
  readonly read: (owner: string) => Told;
  readonly keep: (owner: string, told: Told) => void;
}

/** Kept by the browser, at once: a page may be left in the next moment. */
export class BrowserMemory implements IMemory {
  read(owner: string): Told {
    this.told[owner] ??= stored(owner);
    return this.told[owner];
  }

  keep(owner: string, told: Told): void {
    this.told[owner] = told;
    try {
      localStorage.setItem(nameOf(owner), JSON.stringify(told));
    } catch {
      // A browser that keeps nothing is told again after a reload.
    }
  }

  private readonly told: Record<string, Told> = {};
}

function stored(owner: string): Told {
  try {
    return levelsOf(JSON.parse(localStorage.getItem(nameOf(owner)) ?? '{}'));
  } catch {
    return {};
  }
}

function nameOf(owner: string): string {
  return `${NAME}:${owner}`;
}

/** Whoever wrote it, only levels are read. */
function levelsOf(kept: unknown): Told {
  const levels = Object.entries(Object(kept) as object).filter(
    (pair): pair is [string, number] => typeof pair[1] === 'number'
  );
  return Object.fromEntries(levels);
}
