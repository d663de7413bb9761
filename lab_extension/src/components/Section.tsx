/** A section of the panel: a heading that folds it, and what it holds. */
import * as React from 'react';
import type { IPoll } from '../api/poll';
import { usePoll, usePollState, useStaleSince } from '../hooks';
import { useHubyard } from '../hubyard';
import { type SectionId, useRevealed, useSections } from '../sections/model';
import { staleText } from '../status';
import { IconButton } from './Button';
import { caretIcon, refreshIcon } from './icons';

const FOLDED_MS = 30_000;

interface ISectionProps {
  readonly id: SectionId;
  readonly title: string;
  /** What the refresh button asks again. The first one shows that it is asked. */
  readonly polls: readonly [IPoll<unknown>, ...IPoll<unknown>[]];
  /** A number or an amount beside the title. */
  readonly badge?: string | number | null;
  readonly children: React.ReactNode;
}

export function Section(props: ISectionProps): React.JSX.Element {
  const { trans } = useHubyard();
  const sections = useSections();
  const open = !sections.isFolded(props.id);
  const head = useRevealed<HTMLButtonElement>(props.id);
  const bodyId = `hy-body-${props.id}`;
  return (
    <section
      className="hy-Section"
      data-testid={`hy-section-${props.id}`}
      aria-labelledby={`hy-title-${props.id}`}
    >
      <div className="hy-Section-head">
        <h2 id={`hy-title-${props.id}`}>
          <button
            type="button"
            ref={head}
            aria-expanded={open}
            aria-controls={open ? bodyId : undefined}
            onClick={() => {
              sections.toggle(props.id);
            }}
          >
            <caretIcon.react tag="span" className="hy-Icon" aria-hidden />
            {props.title}
          </button>
        </h2>
        {props.badge != null && (
          <Count polls={props.polls}>{props.badge}</Count>
        )}
        <Refresh
          polls={props.polls}
          label={trans.__('Refresh: %1', props.title)}
        />
      </div>
      {open ? (
        <div className="hy-Section-body" id={bodyId}>
          {props.children}
        </div>
      ) : (
        props.polls.map((poll, index) => <Watch key={index} poll={poll} />)
      )}
    </section>
  );
}

/** Keeps what the head of a folded section says fresh. */
function Watch(props: { readonly poll: IPoll<unknown> }): null {
  usePoll(props.poll, FOLDED_MS);
  return null;
}

function Count(props: {
  readonly polls: ISectionProps['polls'];
  readonly children: string | number;
}): React.JSX.Element {
  const { trans } = useHubyard();
  const since = useStaleSince(props.polls);
  return since === null ? (
    <span className="hy-Count">{props.children}</span>
  ) : (
    <span className="hy-Count" title={staleText(trans, since)}>
      {trans.__('%1 · stale', props.children)}
    </span>
  );
}

function Refresh(props: {
  readonly polls: ISectionProps['polls'];
  readonly label: string;
}): React.JSX.Element {
  const { loading } = usePollState(props.polls[0]);
  return (
    <span className={loading ? 'hy-mod-turning' : undefined}>
      <IconButton
        icon={refreshIcon}
        label={props.label}
        testId="hy-refresh"
        onClick={() => {
          props.polls.forEach(poll => void poll.refresh());
        }}
      />
    </span>
  );
}
