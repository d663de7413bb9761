/** Notices: what was told and not yet seen, until it is opened or put away. */
import * as React from 'react';
import type { Notice } from '../api/types';
import { TextButton } from '../components/Button';
import { Moment } from '../components/Moment';
import { Reason, Row, RowList } from '../components/Rows';
import { usePoll } from '../hooks';
import { CommandIDs, type IHubyard, useHubyard } from '../hubyard';
import { whyText } from '../notices';
import { fail } from '../toast';
import { wordsOf } from '../api/poll';

const STATUS: Record<Notice['why'], string> = {
  failed: 'failed',
  recovered: 'succeeded',
  late: 'pending',
  disk: 'failed'
};

export function NoticeList(): React.JSX.Element | null {
  const hubyard = useHubyard();
  const { polls, trans } = hubyard;
  const { data } = usePoll(polls.notices);
  const unseen = (data?.notices ?? []).filter(each => each.seen_at == null);
  if (unseen.length === 0) {
    return null;
  }
  return (
    <div className="hy-Group" data-testid="hy-notices">
      <h3>{trans.__('Notices')}</h3>
      <RowList label={trans.__('Notices')} items={unseen}>
        {notice => <NoticeRow key={notice.id} notice={notice} />}
      </RowList>
      <div className="hy-More">
        <TextButton
          testId="hy-see-all"
          onClick={() => {
            see(hubyard, unseen);
          }}
        >
          {trans.__('Mark all as seen')}
        </TextButton>
      </div>
    </div>
  );
}

function NoticeRow(props: { readonly notice: Notice }): React.JSX.Element {
  const hubyard = useHubyard();
  const { trans } = hubyard;
  const { notice } = props;
  return (
    <Row
      id={notice.id}
      status={STATUS[notice.why]}
      name={notice.name}
      facts={[
        whyText(trans, notice.why),
        <Moment key="at" at={notice.created_at} />
      ]}
      actions={
        <TextButton
          testId="hy-open-failure"
          label={trans.__('Open %1', notice.name)}
          onClick={() => {
            openNotice(hubyard, notice);
          }}
        >
          {trans.__('Open')}
        </TextButton>
      }
    >
      <Reason reason={notice.message} />
    </Row>
  );
}

/** Lead to what a notice tells of; it is seen then. */
export function openNotice(hubyard: IHubyard, notice: Notice): void {
  see(hubyard, [notice]);
  if (notice.why === 'disk') {
    window.open(notice.link, '_blank', 'noopener');
    return;
  }
  void hubyard.commands.execute(CommandIDs.openFailure, { run: notice.run_id });
}

/** Say that somebody has seen them. */
export function see(
  { client, polls }: IHubyard,
  notices: readonly Notice[]
): void {
  client.see(notices.map(each => each.id)).then(
    () => void polls.notices.refresh(),
    (reason: unknown) => {
      fail(wordsOf(reason));
    }
  );
}
