extension DocumentationPage {
    static let style = """
        :root { --ink: #1c2330; --soft: #566072; --paper: #fbfbf9; --card: #fff; --line: #d9dce3;
          --accent: #7a2e8e; --on-accent: #fff; --code: #f1f0f4; --bad: #a11a1a; --good: #1c6b35; }
        @media (prefers-color-scheme: dark) {
          :root { --ink: #e6e8ee; --soft: #a3abba; --paper: #14161c; --card: #1c1f27; --line: #353a46;
            --accent: #d59be6; --on-accent: #1a0d20; --code: #252934; --bad: #ff9c9c; --good: #86d9a0; } }
        * { box-sizing: border-box; }
        html { scroll-padding-top: 6rem; }
        body { margin: 0; background: var(--paper); color: var(--ink);
          font: 1rem/1.55 system-ui, -apple-system, "Segoe UI", sans-serif; }
        a { color: var(--accent); }
        :focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
        .skip { position: absolute; left: -99rem; }
        .skip:focus { left: 1rem; top: 1rem; background: var(--card); padding: .5rem 1rem; z-index: 2; }
        header { position: sticky; top: 0; z-index: 1; display: flex; flex-wrap: wrap; gap: .5rem 2rem;
          align-items: end; justify-content: space-between; padding: .75rem 1.5rem;
          background: var(--card); border-bottom: 1px solid var(--line); }
        h1 { margin: 0; font-size: 1.25rem; } h1 small { color: var(--soft); font-weight: 400; }
        h2 { margin: 2.5rem 0 .25rem; } h3 { margin: 0; font-size: 1.05rem; } h4 { margin: 1rem 0 .25rem; }
        label { display: block; font-size: .875rem; color: var(--soft); }
        input, textarea, button { font: inherit; color: inherit; }
        input, textarea { width: 100%; padding: .4rem .6rem; background: var(--paper);
          border: 1px solid var(--soft); border-radius: 6px; }
        header input { width: min(22rem, 84vw); display: block; }
        textarea { font-family: ui-monospace, monospace; font-size: .85rem; }
        button { margin-top: .5rem; padding: .45rem 1.1rem; border: 0; border-radius: 6px; cursor: pointer;
          background: var(--accent); color: var(--on-accent); font-weight: 600; }
        button:disabled { opacity: .6; cursor: progress; }
        .columns { display: grid; grid-template-columns: 15rem minmax(0, 1fr); max-width: 76rem; margin: auto; }
        nav { position: sticky; top: 5.5rem; align-self: start; max-height: calc(100vh - 6rem);
          overflow: auto; padding: 1.5rem 1rem; font-size: .875rem; }
        nav strong { display: block; margin-top: 1rem; }
        nav a { display: block; padding: .15rem 0; text-decoration: none; overflow-wrap: anywhere; }
        nav a:hover { text-decoration: underline; }
        main { padding: 0 1.5rem 4rem; min-width: 0; }
        article { margin: 1rem 0; padding: 1.1rem 1.25rem; background: var(--card);
          border: 1px solid var(--line); border-radius: 10px; }
        p { margin: .4rem 0; max-width: 46rem; } .soft { color: var(--soft); }
        .path { font: 600 .95rem ui-monospace, monospace; overflow-wrap: anywhere; }
        .method { color: var(--accent); text-transform: uppercase; }
        .badge { font-size: .75rem; padding: .05rem .5rem; border: 1px solid var(--accent);
          border-radius: 99px; color: var(--accent); white-space: nowrap; }
        code { padding: .05rem .3rem; background: var(--code); border-radius: 4px; font-size: .875em; overflow-wrap: anywhere; }
        pre { overflow: auto; max-height: 26rem; padding: .75rem; background: var(--code); border-radius: 6px; font-size: .8rem; }
        .scroll { overflow-x: auto; }
        table { border-collapse: collapse; width: 100%; font-size: .875rem; }
        th, td { padding: .35rem .6rem .35rem 0; text-align: left; vertical-align: top; border-top: 1px solid var(--line); }
        table { min-width: 36rem; } td:first-child code { white-space: nowrap; }
        th { border: 0; color: var(--soft); font-weight: 500; }
        details { margin-top: .75rem; } summary { cursor: pointer; font-weight: 600; }
        .bad { color: var(--bad); } .good { color: var(--good); }
        @media (max-width: 50rem) { .columns { display: block; } nav { display: none; }
          header { position: static; } main { padding: 0 1rem 3rem; } }
        """
}
