/** The bell: how many notices nobody has seen, and each of them once as a toast. */
import { ReactWidget } from '@jupyterlab/apputils';
import { TextItem } from '@jupyterlab/statusbar';
import * as React from 'react';
import type { Notice } from './api/types';
import { bellIcon } from './components/icons';
import { usePageSeen, usePollState } from './hooks';
import {
  CommandIDs,
  HubyardContext,
  type IHubyard,
  useHubyard
} from './hubyard';
import type { IMemory } from './memory';
import { bellText, dueNotices, isCrowd, noticeText } from './notices';
import { openNotice } from './sections/notices';
import { fail, type INext, tell, warn } from './toast';

const CALM_MS = 15_000;

export class Bell extends ReactWidget {
  constructor(private readonly hubyard: IHubyard) {
    super();
    this.addClass('hy-StatusItem');
    this.addClass('jp-mod-highlighted');
  }

  protected override render(): React.JSX.Element {
    return (
      <HubyardContext.Provider value={this.hubyard}>
        <Item />
      </HubyardContext.Provider>
    );
  }
}

function Item(): React.JSX.Element | null {
  const { commands, polls, trans } = useHubyard();
  const seen = usePageSeen();
  React.useEffect(
    () => (seen ? polls.notices.watch(CALM_MS) : undefined),
    [polls, seen]
  );
  const { data } = usePollState(polls.notices);
  if (data === null) {
    return null;
  }
  const open = () =>
    void commands.execute(CommandIDs.open, { section: 'pipelines' });
  const text = bellText(trans, data.unseen);
  return (
    <div
      className="hy-Bell"
      role="button"
      tabIndex={0}
      data-testid="hy-bell"
      aria-label={text}
      title={text}
      onClick={open}
      onKeyDown={event => {
        if (event.key === 'Enter' || event.key === ' ') {
          event.preventDefault();
          open();
        }
      }}
    >
      <bellIcon.react tag="span" className="hy-Icon" aria-hidden />
      {data.unseen > 0 && <TextItem source={String(data.unseen)} />}
    </div>
  );
}

/** Says each new notice in a toast, once in all tabs of this browser. */
export class Teller {
  constructor(
    private readonly hubyard: IHubyard,
    private readonly memory: IMemory
  ) {}

  /** Look at what the platform said last. */
  readonly look = (): void => {
    const { data } = this.hubyard.polls.notices.state;
    if (data === null) {
      return;
    }
    const last = this.memory.read(data.owner)[MADE] ?? 0;
    const { due, until } = dueNotices(data, last);
    if (due.length > 0) {
      this.memory.keep(data.owner, { [MADE]: until });
      this.say(due);
    }
  };

  private say(due: readonly Notice[]): void {
    const { commands, trans } = this.hubyard;
    if (isCrowd(due)) {
      warn(bellText(trans, due.length), {
        label: trans.__('Show'),
        run: () =>
          void commands.execute(CommandIDs.open, { section: 'pipelines' })
      });
      return;
    }
    due.forEach(notice => {
      const next = {
        label: trans.__('Open'),
        run: () => {
          this.open(notice);
        }
      };
      SAY[notice.why](noticeText(trans, notice), next);
    });
  }

  private open(notice: Notice): void {
    openNotice(this.hubyard, notice);
  }
}

/** When the newest notice was made that was said. */
const MADE = 'made';
const SAY: Record<Notice['why'], (message: string, next: INext) => void> = {
  failed: fail,
  recovered: tell,
  late: (message, next) => void warn(message, next),
  disk: (message, next) => void warn(message, next)
};
