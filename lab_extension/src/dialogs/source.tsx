/** A form about a file: pins it as it is now, then draws what it allows. */
import * as React from 'react';
import type { Client } from '../api/client';
import type { NotebookSource, Source } from '../api/types';
import { Alert } from '../components/Alert';
import { useAnswer } from '../hooks';
import { useHubyard } from '../hubyard';

export interface ISourceProps<T extends Source> {
  readonly source: T;
}

export type Pack<T extends Source> = (
  client: Client,
  path: string
) => Promise<T>;

export const packNotebook: Pack<NotebookSource> = (client, path) =>
  client.packNotebook(path);
export const packFile: Pack<Source> = (client, path) => client.packFile(path);

export function WithSource<T extends Source>(props: {
  readonly path: string;
  readonly pack: Pack<T>;
  readonly form: React.ComponentType<ISourceProps<T>>;
}): React.JSX.Element {
  const { client, trans } = useHubyard();
  const [attempt, setAttempt] = React.useState(0);
  const { data, error } = useAnswer(`${attempt} ${props.path}`, () =>
    props.pack(client, props.path)
  );
  if (error !== null) {
    return (
      <Alert
        message={error}
        onRetry={() => {
          setAttempt(attempt + 1);
        }}
      />
    );
  }
  return data === null ? (
    <p role="status">{trans.__('Reading the file…')}</p>
  ) : (
    <props.form source={data} />
  );
}
