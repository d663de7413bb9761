/** A view in the main area, which asks only while it can be seen. */
import { ReactWidget } from '@jupyterlab/apputils';
import type { LabIcon } from '@jupyterlab/ui-components';
import type { Message } from '@lumino/messaging';
import * as React from 'react';
import { usePageSeen } from './hooks';
import { HubyardContext, type IHubyard, SeenContext } from './hubyard';

interface IOptions {
  readonly className: string;
  readonly testId: string;
  readonly icon: LabIcon;
  /** What it is, for who cannot see it. */
  readonly label: string;
}

export abstract class View extends ReactWidget {
  constructor(
    private readonly hubyard: IHubyard,
    { className, testId, icon, label }: IOptions
  ) {
    super();
    this.addClass('hy-Panel');
    this.addClass(className);
    this.title.icon = icon;
    this.node.tabIndex = -1;
    this.node.dataset.testid = testId;
    this.node.setAttribute('role', 'region');
    this.node.setAttribute('aria-label', label);
  }

  protected abstract content(): React.ReactNode;

  protected override onAfterShow(message: Message): void {
    super.onAfterShow(message);
    this.update();
  }

  protected override onAfterHide(message: Message): void {
    super.onAfterHide(message);
    this.update();
  }

  protected override onActivateRequest(message: Message): void {
    super.onActivateRequest(message);
    if (!this.node.contains(document.activeElement)) {
      this.node.focus();
    }
  }

  protected override render(): React.JSX.Element {
    return (
      <HubyardContext.Provider value={this.hubyard}>
        <WhileSeen visible={this.isVisible}>{this.content()}</WhileSeen>
      </HubyardContext.Provider>
    );
  }
}

function WhileSeen(props: {
  readonly visible: boolean;
  readonly children: React.ReactNode;
}): React.JSX.Element {
  const pageSeen = usePageSeen();
  return (
    <SeenContext.Provider value={props.visible && pageSeen}>
      {props.children}
    </SeenContext.Provider>
  );
}
