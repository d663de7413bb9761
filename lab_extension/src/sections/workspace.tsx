/** This workspace: what it costs, how long it lives, and what more time costs. */
import * as React from 'react';
import type { Workload } from '../api/types';
import { TextButton } from '../components/Button';
import { Row } from '../components/Rows';
import { endOf, extensionText, leftText } from '../ending';
import { usePoll } from '../hooks';
import { CommandIDs, useHubyard } from '../hubyard';

const OFTEN_MS = 15_000;

export function OwnWorkspace(): React.JSX.Element | null {
  const { polls, trans } = useHubyard();
  const state = usePoll(polls.workspace, OFTEN_MS);
  const workload = state.data;
  const end = endOf(state);
  if (workload === null || end === null) {
    return null;
  }
  const { compute, cost, price } = workload;
  const refusal = workload.extension?.refusal ?? null;
  return (
    <ul className="hy-Rows" data-testid="hy-own-workspace">
      <Row
        id={workload.entry_id}
        name={trans.__('This workspace')}
        facts={[
          compute,
          trans.__('%1/h', price.text),
          trans.__('%1 so far', cost.text),
          leftText(trans, end)
        ]}
        actions={<Extend workload={workload} />}
      >
        {refusal !== null && <p className="hy-Help">{refusal}</p>}
      </Row>
    </ul>
  );
}

function Extend(props: {
  readonly workload: Workload;
}): React.JSX.Element | null {
  const { commands, trans } = useHubyard();
  const { extension } = props.workload;
  if (extension == null || !commands.hasCommand(CommandIDs.extend)) {
    return null;
  }
  return (
    <TextButton
      testId="hy-extend"
      label={trans.__('This workspace: %1', extensionText(trans, extension))}
      disabled={extension.refusal != null}
      onClick={() => void commands.execute(CommandIDs.extend)}
    >
      {extensionText(trans, extension)}
    </TextButton>
  );
}
