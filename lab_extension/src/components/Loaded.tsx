/** What a poll brought: a skeleton first, then the data, marked when they are stale. */
import * as React from 'react';
import type { IPoll } from '../api/poll';
import { usePoll, useStaleSince } from '../hooks';
import { useHubyard } from '../hubyard';
import { staleText } from '../status';
import { Alert } from './Alert';

export function Loaded<T>(props: {
  readonly poll: IPoll<T>;
  readonly children: (data: T) => React.ReactNode;
}): React.JSX.Element {
  const { trans } = useHubyard();
  const { data, error } = usePoll(props.poll);
  const since = useStaleSince([props.poll]);
  return (
    <div
      data-stale={since !== null}
      aria-busy={data === null && error === null}
    >
      {error !== null && (
        <Alert
          message={error}
          note={since === null ? null : staleText(trans, since)}
          onRetry={() => void props.poll.refresh()}
        />
      )}
      {data !== null && props.children(data)}
      {data === null && error === null && <Skeleton />}
    </div>
  );
}

export function Skeleton(): React.JSX.Element {
  const { trans } = useHubyard();
  return (
    <div className="hy-Skeleton" data-testid="hy-skeleton" role="status">
      <span className="hy-sr">{trans.__('Loading…')}</span>
      <i />
      <i />
    </div>
  );
}
