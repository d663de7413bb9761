/** What a poll brought: a skeleton first, then the data, marked when they are stale. */
import * as React from 'react';
import type { IPoll } from '../api/poll';
import { clockText } from '../format';
import { usePoll } from '../hooks';
import { useHubyard } from '../hubyard';
import { Alert } from './Alert';

export function Loaded<T>(props: {
  readonly poll: IPoll<T>;
  readonly children: (data: T) => React.ReactNode;
}): React.JSX.Element {
  const { trans } = useHubyard();
  const { data, error, at } = usePoll(props.poll);
  const stale = error !== null && data !== null && at !== null;
  return (
    <div data-stale={stale} aria-busy={data === null && error === null}>
      {error !== null && (
        <Alert
          message={error}
          note={
            stale
              ? trans.__('Stale: this is how it was at %1.', clockText(at))
              : null
          }
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
