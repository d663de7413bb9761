/** Rows: a true list, a few at first, one shape for every noun. */
import * as React from 'react';
import { useHubyard } from '../hubyard';
import { useRevealed } from '../sections/model';
import { StatusIcon } from './Badge';
import { TextButton } from './Button';

const FIRST = 5;
const MORE = 20;

/** Items that the platform has, but not yet given. */
export interface IOlder {
  readonly loading: boolean;
  readonly ask: () => void;
}

export function RowList<T>(props: {
  readonly label: string;
  readonly items: readonly T[];
  /** How many are shown at first. */
  readonly first?: number;
  /** The place of one that is asked for, from 0. */
  readonly asked?: number;
  /** null: all there are stand in `items`. */
  readonly older?: IOlder | null;
  readonly children: (item: T) => React.ReactNode;
}): React.JSX.Element {
  const { asked = -1, first = FIRST, items, older = null } = props;
  const [shown, setShown] = React.useState(first);
  if (asked >= shown) {
    setShown(asked + 1);
  }
  const more = () => {
    setShown(shown + MORE);
    if (shown + MORE > items.length) {
      older?.ask();
    }
  };
  return (
    <>
      <ul className="hy-Rows" aria-label={props.label}>
        {items.slice(0, shown).map(props.children)}
      </ul>
      {(items.length > first || older !== null) && (
        <More
          hidden={items.length - shown}
          older={older}
          onMore={more}
          onFewer={() => {
            setShown(first);
          }}
        />
      )}
    </>
  );
}

/** One button for both ways, so that the focus stays where it was. */
function More(props: {
  readonly hidden: number;
  readonly older: IOlder | null;
  readonly onMore: () => void;
  readonly onFewer: () => void;
}): React.JSX.Element {
  const { trans } = useHubyard();
  const { hidden, older, onFewer, onMore } = props;
  if (hidden <= 0 && older === null) {
    return <MoreButton onClick={onFewer}>{trans.__('Show fewer')}</MoreButton>;
  }
  if (hidden <= 0 && older?.loading === true) {
    return <MoreButton>{trans.__('Loading…')}</MoreButton>;
  }
  if (hidden <= 0) {
    return <MoreButton onClick={onMore}>{trans.__('Show more')}</MoreButton>;
  }
  return (
    <MoreButton onClick={onMore}>
      {trans.__('Show more (%1)', older === null ? hidden : `${hidden}+`)}
    </MoreButton>
  );
}

function MoreButton(props: {
  readonly onClick?: () => void;
  readonly children: string;
}): React.JSX.Element {
  return (
    <div className="hy-More">
      <TextButton testId="hy-more" onClick={props.onClick}>
        {props.children}
      </TextButton>
    </div>
  );
}

interface IRowProps {
  readonly id: string;
  readonly status?: string;
  readonly name: string;
  /** The name as a link or a button; without it, the text. */
  readonly title?: React.ReactNode;
  /** Facts in one line; what is null is left out. */
  readonly facts: readonly React.ReactNode[];
  readonly actions?: React.ReactNode;
  readonly children?: React.ReactNode;
}

export function Row(props: IRowProps): React.JSX.Element {
  const row = useRevealed<HTMLLIElement>(props.id);
  return (
    <li
      ref={row}
      className="hy-Row"
      data-testid="hy-row"
      data-id={props.id}
      data-status={props.status}
    >
      {props.status !== undefined && <StatusIcon status={props.status} />}
      <div className="hy-Row-main">
        <div className="hy-Row-head">
          <span className="hy-Row-name" title={props.name}>
            {props.title ?? props.name}
          </span>
          {props.actions && (
            <span className="hy-Row-actions">{props.actions}</span>
          )}
        </div>
        <Facts facts={props.facts} />
        {props.children}
      </div>
    </li>
  );
}

/** Facts in one line; what is null is left out. */
export function Facts(props: {
  readonly facts: readonly React.ReactNode[];
}): React.JSX.Element {
  const said = props.facts.filter(fact => fact !== null && fact !== undefined);
  return (
    <div className="hy-Facts">
      {said.map((fact, index) => (
        <span key={index}>{fact}</span>
      ))}
    </div>
  );
}

/** Why something failed, and the last lines that it said. */
export function Reason(props: {
  readonly reason: string | null | undefined;
  readonly log?: string | null;
}): React.JSX.Element | null {
  const { trans } = useHubyard();
  if (props.reason == null && props.log == null) {
    return null;
  }
  return (
    <div className="hy-Reason" data-testid="hy-reason">
      {props.reason != null && <p>{props.reason}</p>}
      {props.log != null && props.log !== '' && (
        <details>
          <summary>{trans.__('Last lines')}</summary>
          <pre tabIndex={0} data-testid="hy-log">
            {props.log}
          </pre>
        </details>
      )}
    </div>
  );
}
