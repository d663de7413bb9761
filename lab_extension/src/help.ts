/** Help: the guides of Hubyard, drawn by JupyterLab's own Markdown. */
import type { IRenderMime, IRenderMimeRegistry } from '@jupyterlab/rendermime';
import { Panel } from '@lumino/widgets';
import { wordsOf } from './api/poll';
import { helpIcon } from './components/icons';
import { isGuide, slug, titleOf } from './guides';
import type { IHubyard } from './hubyard';
import { warn } from './toast';

const MARKDOWN = 'text/markdown';
const HEADINGS = 'h1, h2, h3, h4, h5, h6';

/** The page that lists all others. */
export const CONTENTS = 'README.md';

/** One page of the guides at a time; links between them are followed in place. */
export class Help extends Panel {
  constructor(
    private readonly hubyard: IHubyard,
    rendermime: IRenderMimeRegistry,
    private readonly onTurned: () => void
  ) {
    super();
    this.addClass('hy-HelpPages');
    this.title.label = hubyard.trans.__('Help');
    this.title.icon = helpIcon;
    this.node.tabIndex = 0;
    this.rendermime = rendermime.clone(this.links());
    this.renderer = this.rendermime.createRenderer(MARKDOWN);
    this.addWidget(this.renderer);
  }

  /** The page that is shown. */
  page = CONTENTS;

  /** Show a page, from the heading that the anchor names. */
  async open(page: string, anchor = ''): Promise<void> {
    const turn = ++this.turn;
    const text = await this.hubyard.client.guide(page);
    if (turn !== this.turn) {
      return; // another page was asked for meanwhile
    }
    this.page = page;
    const data = { [MARKDOWN]: text };
    await this.renderer.renderModel(this.rendermime.createModel({ data }));
    this.title.label = this.hubyard.trans.__('Help: %1', titleOf(text));
    this.reveal(anchor);
    this.onTurned();
  }

  /** As `open`, where a person has asked for it by a click. */
  follow(page: string, anchor = ''): void {
    this.open(page, anchor).catch((reason: unknown) => {
      warn(wordsOf(reason));
    });
  }

  private reveal(anchor: string): void {
    const headings = [...this.node.querySelectorAll(HEADINGS)];
    const wanted = headings.find(
      each => anchor !== '' && slug(each.textContent ?? '') === anchor
    );
    if (wanted === undefined) {
      this.node.scrollTop = 0;
    } else {
      wanted.scrollIntoView({ block: 'start' });
    }
  }

  /** What a link to another page does; any other link is JupyterLab's. */
  private links(): IRenderMimeRegistry.ICloneOptions {
    const { client } = this.hubyard;
    return {
      resolver: {
        isLocal: url => isGuide(url),
        resolveUrl: url => Promise.resolve(url),
        getDownloadUrl: page => Promise.resolve(client.guideUrl(page))
      },
      linkHandler: {
        handleLink: (node, page, id = '') => {
          node.addEventListener('click', event => {
            if (!(event.ctrlKey || event.metaKey || event.shiftKey)) {
              event.preventDefault();
              this.follow(page, id.replace(/^#/, ''));
            }
          });
        }
      }
    };
  }

  private readonly rendermime: IRenderMimeRegistry;
  private readonly renderer: IRenderMime.IRenderer;
  private turn = 0;
}
