/**
 * A form dialog: it stays open until what it asks for is done.
 *
 * JupyterLab's own dialog closes first and fails later; here a refusal stands where
 * the mistake was made, and nothing typed is lost.
 */
import { Dialog, ReactWidget } from '@jupyterlab/apputils';
import * as React from 'react';
import { wordsOf } from '../api/poll';
import { Alert } from '../components/Alert';
import { usePageSeen } from '../hooks';
import { HubyardContext, type IHubyard, SeenContext } from '../hubyard';

const CONFIRM = 1;
const FIRST_FIELD = 'input, select, button';

/** What the confirm button does; null while the form cannot be sent. */
export type Submit = (() => Promise<unknown>) | null;

interface IFormState {
  readonly busy: boolean;
  readonly error: string | null;
}

export class Form {
  state: IFormState = { busy: false, error: null };

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  get ready(): boolean {
    return this.submit !== null && !this.state.busy;
  }

  /** The form's content says what confirming means now. */
  offer(submit: Submit): void {
    this.submit = submit;
    this.told();
  }

  /** Do it; resolves to whether it is done. */
  async send(): Promise<boolean> {
    if (this.submit === null || this.state.busy) {
      return false;
    }
    this.set({ busy: true, error: null });
    const error = await this.submit().then(() => null, wordsOf);
    this.set({ busy: false, error });
    return error === null;
  }

  private set(state: IFormState): void {
    this.state = state;
    this.told();
  }
  private told(): void {
    this.listeners.forEach(listener => {
      listener();
    });
  }
  private submit: Submit = null;
  private readonly listeners = new Set<() => void>();
}

export const FormContext = React.createContext(new Form());

/** Say, on each drawing, what confirming the dialog would do. */
export function useSubmit(submit: Submit): void {
  const form = React.useContext(FormContext);
  const latest = React.useRef(submit);
  React.useEffect(() => {
    latest.current = submit;
  });
  const can = submit !== null;
  React.useEffect(() => {
    form.offer(can ? async () => latest.current?.() : null);
    return () => {
      form.offer(null);
    };
  }, [form, can]);
}

interface IFormOptions {
  readonly title: string;
  /** The word on the confirm button; without it there is only Close. */
  readonly confirm?: string;
  /** Names the dialog for tests: `hy-<name>-dialog`, `hy-<name>-confirm`. */
  readonly name: string;
  /** What gets the focus first. */
  readonly focus?: string;
  /** Room for two columns. */
  readonly wide?: boolean;
  readonly body: React.ReactElement;
}

/** Show a form until it is sent or given up. */
export async function openForm(
  hubyard: IHubyard,
  options: IFormOptions
): Promise<void> {
  const dialog = new FormDialog(hubyard, new Form(), options);
  await dialog.launch();
}

class FormDialog extends Dialog<void> {
  constructor(hubyard: IHubyard, form: Form, options: IFormOptions) {
    const { trans } = hubyard;
    const close = options.confirm === undefined;
    const cancel = Dialog.cancelButton({
      label: close ? trans.__('Close') : trans.__('Cancel')
    });
    const buttons = close
      ? [cancel]
      : [cancel, Dialog.okButton({ label: options.confirm })];
    super({
      title: options.title,
      body: new FormBody(hubyard, form, options.body),
      buttons,
      defaultButton: buttons.length - 1,
      focusNodeSelector: options.focus ?? FIRST_FIELD
    });
    this.form = form;
    this.focusFirst = options.focus ?? FIRST_FIELD;
    this.node.tabIndex = -1;
    this.node.dataset.testid = `hy-${options.name}-dialog`;
    this.node.ariaLabel = options.title;
    this.addClass('hy-Dialog');
    this.toggleClass('hy-mod-wide', options.wide === true);
    this.accept = this.node.querySelector('button.jp-mod-accept');
    this.accept?.setAttribute('data-testid', `hy-${options.name}-confirm`);
    this.stopListening = form.subscribe(() => {
      this._checkValidation();
    });
    this._checkValidation();
    this.changes.observe(this.node, { childList: true, subtree: true });
  }

  override dispose(): void {
    this.stopListening();
    this.changes.disconnect();
    super.dispose();
  }

  override resolve(index?: number): void {
    if (this.accept === null || (index ?? CONFIRM) !== CONFIRM) {
      super.resolve(index);
      return;
    }
    void this.form.send().then(done => {
      if (done) {
        super.resolve(CONFIRM);
      }
    });
  }

  /** Enter in a field confirms; on what has its own use for Enter it does not. */
  protected override _evtKeydown(event: KeyboardEvent): void {
    const target = event.target as HTMLElement;
    const own = target.closest('.hy-Form :is(button, a, summary, form)');
    if (event.key !== 'Enter' || own === null) {
      super._evtKeydown(event);
    }
  }

  /** The form alone decides whether it can be sent. */
  protected override _checkValidation(): void {
    if (this.accept) {
      this.accept.disabled = !this.form.ready;
      this.accept.setAttribute('aria-busy', String(this.form.state.busy));
    }
  }

  /** Keys reach only what has the focus: the first field, or at least the dialog. */
  private keepFocus(): void {
    const inside = this.node.contains(document.activeElement);
    if (!this.isAttached || (inside && this.focused)) {
      return;
    }
    const body = this.node.querySelector('.hy-Form');
    const field = body?.querySelector<HTMLElement>(this.focusFirst);
    this.focused = field != null;
    (field ?? this.node).focus();
  }

  /** The content comes and goes with the answers, and the focus may go with it. */
  private readonly changes = new MutationObserver(() => {
    this.keepFocus();
  });
  private focused = false;
  private readonly form: Form;
  private readonly focusFirst: string;
  private readonly accept: HTMLButtonElement | null;
  private readonly stopListening: () => void;
}

class FormBody extends ReactWidget {
  constructor(
    private readonly hubyard: IHubyard,
    private readonly form: Form,
    private readonly body: React.ReactElement
  ) {
    super();
    this.addClass('hy-FormBody');
  }

  protected override render(): React.JSX.Element {
    return (
      <HubyardContext.Provider value={this.hubyard}>
        <FormContext.Provider value={this.form}>
          <WhilePageSeen>
            <div className="hy-Form">{this.body}</div>
          </WhilePageSeen>
          <Refusal form={this.form} />
        </FormContext.Provider>
      </HubyardContext.Provider>
    );
  }
}

function WhilePageSeen(props: {
  readonly children: React.ReactNode;
}): React.JSX.Element {
  return (
    <SeenContext.Provider value={usePageSeen()}>
      {props.children}
    </SeenContext.Provider>
  );
}

function Refusal(props: { readonly form: Form }): React.JSX.Element | null {
  const { form } = props;
  const { error } = React.useSyncExternalStore(
    form.subscribe,
    () => form.state
  );
  return error === null ? null : <Alert message={error} />;
}
