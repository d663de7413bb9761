/** A moment: how long ago, with the full date as tooltip. */
import * as React from 'react';
import { fullMoment, momentText } from '../format';

export function Moment(props: { readonly at: string }): React.JSX.Element {
  return (
    <time dateTime={props.at} title={fullMoment(props.at)}>
      {momentText(props.at)}
    </time>
  );
}
