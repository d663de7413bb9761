/** Buttons: quiet ones with a word, small ones with an icon and a name. */
import type { LabIcon } from '@jupyterlab/ui-components';
import * as React from 'react';

interface IButtonProps {
  readonly onClick?: () => void;
  readonly testId?: string;
  readonly disabled?: boolean;
  readonly title?: string;
}

/** A button with a word. */
export function TextButton(
  props: IButtonProps & {
    readonly children: React.ReactNode;
    readonly label?: string;
    /** Sends the form that it stands in. */
    readonly submit?: boolean;
  }
): React.JSX.Element {
  return (
    <button
      type={props.submit ? 'submit' : 'button'}
      className="hy-TextButton"
      data-testid={props.testId}
      disabled={props.disabled}
      title={props.title}
      aria-label={props.label}
      onClick={props.onClick}
    >
      {props.children}
    </button>
  );
}

/** A button with an icon; its name is the tooltip too. */
export function IconButton(
  props: IButtonProps & {
    readonly icon: LabIcon;
    readonly label: string;
    /** Whether what it shows is shown now. */
    readonly expanded?: boolean;
  }
): React.JSX.Element {
  return (
    <button
      type="button"
      className="hy-IconButton"
      data-testid={props.testId}
      disabled={props.disabled}
      title={props.title ?? props.label}
      aria-label={props.label}
      aria-expanded={props.expanded}
      onClick={props.onClick}
    >
      <props.icon.react tag="span" className="hy-Icon" aria-hidden />
    </button>
  );
}

/** A link that looks like an icon button and opens a tab of its own. */
export function IconLink(props: {
  readonly icon: LabIcon;
  readonly label: string;
  readonly href: string;
  readonly testId?: string;
}): React.JSX.Element {
  return (
    <a
      className="hy-IconButton"
      data-testid={props.testId}
      title={props.label}
      aria-label={props.label}
      href={props.href}
      target="_blank"
      rel="noopener noreferrer"
    >
      <props.icon.react tag="span" className="hy-Icon" aria-hidden />
    </a>
  );
}
