/** A badge: a status as icon and tone. The word stands beside it. */
import * as React from 'react';
import { lookOf, statusText } from '../status';
import { useHubyard } from '../hubyard';

export function StatusIcon(props: {
  readonly status: string;
}): React.JSX.Element {
  const { icon, tone } = lookOf(props.status);
  const turning = props.status === 'running' ? ' hy-mod-turning' : '';
  return (
    <icon.react
      tag="span"
      className={`hy-Icon hy-Tone hy-mod-${tone}${turning}`}
      aria-hidden
    />
  );
}

export function StatusWord(props: {
  readonly status: string;
}): React.JSX.Element {
  const { trans } = useHubyard();
  return (
    <span className="hy-StatusWord">{statusText(trans, props.status)}</span>
  );
}
