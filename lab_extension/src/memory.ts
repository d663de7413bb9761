/** Memory: what this browser was told, whoever sits before it and in whichever tab. */
import type { Told } from './budgets';

export interface IMemory {
  readonly read: (owner: string) => Told;
  readonly keep: (owner: string, told: Told) => void;
}

/** Kept by the browser, at once: a page may be left in the next moment. */
export class BrowserMemory implements IMemory {
  constructor(private readonly name = 'hubyard:budgets-told') {}

  read(owner: string): Told {
    return this.unkept.get(owner) ?? stored(this.nameOf(owner));
  }

  keep(owner: string, told: Told): void {
    try {
      localStorage.setItem(this.nameOf(owner), JSON.stringify(told));
      this.unkept.delete(owner);
    } catch {
      // A browser that keeps nothing is told again after a reload.
      this.unkept.set(owner, told);
    }
  }

  private nameOf(owner: string): string {
    return `${this.name}:${owner}`;
  }

  private readonly unkept = new Map<string, Told>();
}

function stored(name: string): Told {
  try {
    return levelsOf(JSON.parse(localStorage.getItem(name) ?? '{}'));
  } catch {
    return {};
  }
}

/** Whoever wrote it, only levels are read. */
function levelsOf(kept: unknown): Told {
  const levels = Object.entries(Object(kept) as object).filter(
    (pair): pair is [string, number] => typeof pair[1] === 'number'
  );
  return Object.fromEntries(levels);
}
