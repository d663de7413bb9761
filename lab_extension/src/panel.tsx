/** The panel: six sections in the side area, asking only while they can be seen. */
import { ReactWidget } from '@jupyterlab/apputils';
import type { Contents } from '@jupyterlab/services';
import type { Message } from '@lumino/messaging';
import * as React from 'react';
import { Alert } from './components/Alert';
import { Skeleton } from './components/Loaded';
import { IconButton } from './components/Button';
import { helpIcon, hubyardIcon } from './components/icons';
import { usePageSeen, usePoll } from './hooks';
import {
  CommandIDs,
  HubyardContext,
  type IHubyard,
  SeenContext,
  useHubyard
} from './hubyard';
import { Apps } from './sections/apps';
import { Deployments } from './sections/deployments';
import { Experiments } from './sections/experiments';
import { Models } from './sections/models';
import { type Sections, SectionsContext } from './sections/model';
import { ContentsContext } from './sections/notebook';
import { Pipelines } from './sections/pipelines';
import { Spend } from './sections/spend';

export const PANEL_ID = 'hubyard-panel';

export class HubyardPanel extends ReactWidget {
  constructor(
    private readonly hubyard: IHubyard,
    private readonly sections: Sections,
    private readonly contents: Contents.IManager
  ) {
    super();
    const { trans } = hubyard;
    this.id = PANEL_ID;
    this.addClass('hy-Panel');
    this.title.icon = hubyardIcon;
    this.title.caption = trans.__('Hubyard');
    this.node.tabIndex = -1;
    this.node.setAttribute('role', 'region');
    this.node.setAttribute('aria-label', trans.__('Hubyard'));
  }

  protected override onAfterShow(message: Message): void {
    super.onAfterShow(message);
    this.update();
  }

  protected override onAfterHide(message: Message): void {
    super.onAfterHide(message);
    this.update();
  }

  /** Keys go on in the panel, unless one of its sections was asked for. */
  protected override onActivateRequest(message: Message): void {
    super.onActivateRequest(message);
    const inside = this.node.contains(document.activeElement);
    if (!inside && this.sections.revealed === null) {
      (firstHead(this.node) ?? this.node).focus();
    }
  }

  protected override render(): React.JSX.Element {
    return (
      <HubyardContext.Provider value={this.hubyard}>
        <ContentsContext.Provider value={this.contents}>
          <SectionsContext.Provider value={this.sections}>
            <Content visible={this.isVisible} />
          </SectionsContext.Provider>
        </ContentsContext.Provider>
      </HubyardContext.Provider>
    );
  }
}

function firstHead(panel: Element): HTMLElement | null {
  return panel.querySelector<HTMLElement>('.hy-Section-head button');
}

function Content(props: { readonly visible: boolean }): React.JSX.Element {
  const pageSeen = usePageSeen();
  return (
    <SeenContext.Provider value={props.visible && pageSeen}>
      <Head />
      <Body />
    </SeenContext.Provider>
  );
}

function Head(): React.JSX.Element {
  const { commands, trans } = useHubyard();
  return (
    <div className="hy-Head">
      <span>{trans.__('Hubyard')}</span>
      {commands.hasCommand(CommandIDs.help) && (
        <IconButton
          icon={helpIcon}
          label={trans.__('Help')}
          testId="hy-help"
          onClick={() => void commands.execute(CommandIDs.help)}
        />
      )}
    </div>
  );
}

/** One alert where nothing can be reached, instead of one in each section. */
function Body(): React.JSX.Element {
  const { polls } = useHubyard();
  const { data, error } = usePoll(polls.me);
  if (data !== null) {
    return <AllSections />;
  }
  return error === null ? (
    <Skeleton />
  ) : (
    <Alert message={error} onRetry={() => void polls.me.refresh()} />
  );
}

function AllSections(): React.JSX.Element {
  // The panel took the focus while it was still empty.
  React.useEffect(() => {
    const panel = document.activeElement;
    if (panel?.id === PANEL_ID) {
      firstHead(panel)?.focus();
    }
  }, []);
  return (
    <>
      <Experiments />
      <Models />
      <Deployments />
      <Pipelines />
      <Apps />
      <Spend />
    </>
  );
}
