/** Rows: a true list, a few at first, one shape for every noun. */
import * as React from 'react';
import { useHubyard } from '../hubyard';
import { StatusIcon } from './Badge';
import { TextButton } from './Button';

const FIRST = 5;
const MORE = 20;

export function RowList<T>(props: {
  readonly label: string;
  readonly items: readonly T[];
  readonly children: (item: T) => React.ReactNode;
}): React.JSX.Element {
  const { trans } = useHubyard();
  const [shown, setShown] = React.useState(FIRST);
  const hidden = props.items.length - shown;
  return (
    <>
      <ul className="hy-Rows" aria-label={props.label}>
        {props.items.slice(0, shown).map(props.children)}
      </ul>
      {hidden > 0 && (
        <div className="hy-More">
          <TextButton
            testId="hy-more"
            onClick={() => {
              setShown(shown + MORE);
            }}
          >
            {trans.__('Show more (%1)', hidden)}
          </TextButton>
        </div>
      )}
    </>
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
  return (
    <li
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

function Facts(props: {
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
