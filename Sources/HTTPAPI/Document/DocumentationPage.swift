/// The page that shows the document. All of it is here: it asks nothing of other servers.
enum DocumentationPage {
    static let html = """
        <!doctype html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="color-scheme" content="light dark">
        <title>Partita API</title>
        <style>\(style)</style>
        </head>
        <body>
        <a class="skip" href="#operations">Skip to the operations</a>
        <header>
        <div><h1>Partita API <small id="version"></small></h1>
        <a href="../openapi.json" id="document">OpenAPI document</a></div>
        <label for="key">License key
        <input id="key" type="password" autocomplete="off" spellcheck="false"
        placeholder="Paste it to try operations"></label>
        </header>
        <div class="columns">
        <nav id="contents" aria-label="Operations"></nav>
        <main id="operations"><p>Loading …</p>
        <noscript><p>This page needs JavaScript. The OpenAPI document does not.</p></noscript></main>
        </div>
        <script>\(script)</script>
        </body>
        </html>

        """
}
