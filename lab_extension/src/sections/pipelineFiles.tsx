/** The pipelines that lie in this workspace: open, run once, schedule. */
import * as React from 'react';
import type { IPipelineFile } from '../api/types';
import { IconButton } from '../components/Button';
import { Empty } from '../components/Empty';
import { scheduleIcon, startIcon } from '../components/icons';
import { Loaded } from '../components/Loaded';
import { Row, RowList } from '../components/Rows';
import { CommandIDs, useHubyard } from '../hubyard';

const GUIDE = 'pipelines.md';

export function PipelineFiles(): React.JSX.Element {
  const { commands, polls, trans } = useHubyard();
  return (
    <div className="hy-Group hy-mod-quiet" data-testid="hy-pipeline-files">
      <h3>{trans.__('Files')}</h3>
      <Loaded poll={polls.pipelines}>
        {files =>
          files.length === 0 ? (
            <Empty
              text={trans.__(
                'A pipeline runs several notebooks one after another: a file in the folder pipelines of a project.'
              )}
              action={{
                label: trans.__('How to write one'),
                run: () =>
                  void commands.execute(CommandIDs.help, { page: GUIDE })
              }}
            />
          ) : (
            <RowList label={trans.__('Pipelines')} items={files}>
              {each => <FileRow key={each.path} file={each} />}
            </RowList>
          )
        }
      </Loaded>
    </div>
  );
}

function FileRow(props: { readonly file: IPipelineFile }): React.JSX.Element {
  const { commands, trans } = useHubyard();
  const { name, path, steps } = props.file;
  const execute = (command: string) => {
    void commands.execute(command, { path });
  };
  return (
    <Row
      id={path}
      name={name}
      title={
        <button
          type="button"
          className="hy-LinkButton"
          data-testid="hy-open-file"
          onClick={() => {
            execute('docmanager:open');
          }}
        >
          {name}
        </button>
      }
      facts={[
        path,
        steps === null
          ? trans.__('no steps can be read')
          : trans._n('%1 step', '%1 steps', steps)
      ]}
      actions={
        <>
          <IconButton
            icon={startIcon}
            label={trans.__('Run %1 once', name)}
            testId="hy-run-file"
            onClick={() => {
              execute(CommandIDs.runNow);
            }}
          />
          <IconButton
            icon={scheduleIcon}
            label={trans.__('Schedule %1', name)}
            testId="hy-schedule-file"
            onClick={() => {
              execute(CommandIDs.schedule);
            }}
          />
        </>
      }
    />
  );
}
