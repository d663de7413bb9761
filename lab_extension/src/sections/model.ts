/** Which sections of the panel are folded, and which one was just asked for. */
import * as React from 'react';

export const SECTION_IDS = [
  'experiments',
  'models',
  'deployments',
  'pipelines',
  'apps',
  'spend'
] as const;

export type SectionId = (typeof SECTION_IDS)[number];

export function isSectionId(value: unknown): value is SectionId {
  return (SECTION_IDS as readonly unknown[]).includes(value);
}

export class Sections {
  constructor(private readonly onFold: (folded: SectionId[]) => void) {}

  /** The section, or the id of a row, to scroll to and focus; null: none is asked for. */
  revealed: string | null = null;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };
  readonly version = (): number => this.changes;

  isFolded(id: SectionId): boolean {
    return this.folded.has(id);
  }

  fold(ids: readonly SectionId[]): void {
    this.folded = new Set(ids);
    this.changed();
  }

  toggle(id: SectionId): void {
    if (!this.folded.delete(id)) {
      this.folded.add(id);
    }
    this.onFold([...this.folded]);
    this.changed();
  }

  reveal(id: SectionId, row?: string): void {
    this.folded.delete(id);
    this.revealed = row ?? id;
    this.changed();
  }

  settle(): void {
    this.revealed = null;
  }

  private changed(): void {
    this.changes += 1;
    this.listeners.forEach(listener => {
      listener();
    });
  }

  private folded = new Set<SectionId>();
  private changes = 0;
  private readonly listeners = new Set<() => void>();
}

export const SectionsContext = React.createContext<Sections>(
  new Sections(() => undefined)
);

export function useSections(): Sections {
  const sections = React.useContext(SectionsContext);
  React.useSyncExternalStore(sections.subscribe, sections.version);
  return sections;
}

/** Scrolls to and focuses the element that it is given, when that is asked for. */
export function useRevealed<E extends HTMLElement>(
  id: string
): React.RefObject<E> {
  const sections = useSections();
  const element = React.useRef<E>(null);
  const revealed = sections.revealed === id;
  React.useEffect(() => {
    if (revealed && element.current !== null) {
      const node = element.current;
      const leave = () => {
        node.removeAttribute('tabindex');
      };
      node.addEventListener('blur', leave, { once: true });
      node.tabIndex = -1; // what is no button takes the focus only now
      node.scrollIntoView({ block: 'start' });
      node.focus();
      sections.settle();
    }
  }, [revealed, sections]);
  return element;
}
