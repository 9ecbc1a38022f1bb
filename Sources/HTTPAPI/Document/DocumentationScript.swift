extension DocumentationPage {
    /// Shows the document. Text goes in as text nodes only, so nothing in it can become markup.
    static let script = #"""
        "use strict";
        const base = location.pathname.replace(/\/api\/v1\/docs\/?$/, "");
        const $ = id => document.getElementById(id);
        function el(name, attributes, ...children) {
          const node = document.createElement(name);
          for (const [key, value] of Object.entries(attributes || {}))
            if (key in node && typeof value !== "string") node[key] = value; else node.setAttribute(key, value);
          node.append(...children.flat().filter(child => child !== null && child !== undefined));
          return node;
        }
        const rich = text => (text || "").split(/`([^`]*)`/).map((part, i) => i % 2 ? el("code", {}, part) : part);
        const prose = text => (text || "").split(/\n\n+/).filter(Boolean).map(part => el("p", {}, rich(part)));
        let api;
        function resolve(schema) {
          let result = schema || {};
          while (result.$ref) {
            const {$ref, ...rest} = result;
            result = {...api.components.schemas[$ref.split("/").pop()], name: $ref.split("/").pop(), ...rest};
          }
          if (result.allOf) { const {allOf, ...rest} = result; return {...resolve(allOf[0]), ...rest}; }
          return result;
        }
        function typeOf(schema) {
          const s = resolve(schema);
          const many = s.anyOf || s.oneOf;
          if (many) return many.map(one => resolve(one).type === "object" && resolve(one).name || typeOf(one)).join(" or ");
          if (s.const !== undefined) return JSON.stringify(s.const);
          if (s.enum) return s.enum.map(one => JSON.stringify(one)).join(", ");
          if (s.type === "array") return "list of " + typeOf(s.items);
          return s.type + (s.format ? " (" + s.format + ")" : "");
        }
        function limits(s) {
          return [["default", s.default === undefined ? undefined : JSON.stringify(s.default)], ["at least", s.minimum],
            ["at most", s.maximum], ["items at least", s.minItems], ["items at most", s.maxItems]]
            .filter(([, value]) => value !== undefined).map(([name, value]) => name + " " + value).join(", ");
        }
        function rows(schema, prefix, depth) {
          const s = resolve(schema);
          return Object.entries(s.properties || {}).flatMap(([name, value]) => {
            const field = resolve(value), path = prefix + name;
            const inner = field.type === "array" ? field.items : field.additionalProperties || value;
            const infix = field.type === "array" ? "[]." : field.additionalProperties ? ".{id}." : ".";
            const variants = resolve(inner).oneOf || [inner];
            const row = el("tr", {}, el("td", {}, el("code", {}, path), " ",
                (s.required || []).includes(name) ? el("span", {class: "soft"}, "required") : null,
                value["x-partita-addition"] ? el("span", {class: "badge"}, "Partita") : null),
              el("td", {}, typeOf(value)), el("td", {}, limits(field)), el("td", {}, rich(field.description)));
            if (depth === 0 || variants.length > 1 && prefix) return [row];
            return [row, ...variants.flatMap(one => [
              variants.length > 1 ? el("tr", {}, el("td", {colSpan: 4}, "Either ", el("em", {}, resolve(one).name || "this"))) : null,
              ...rows(one, path + infix, depth - 1)])].filter(Boolean);
          });
        }
        function table(caption, schema) {
          const body = rows(schema, "", 3);
          if (!body.length) return null;
          return el("div", {}, el("h4", {}, caption), el("div", {class: "scroll", tabIndex: 0, role: "region", "aria-label": caption},
            el("table", {}, el("thead", {}, el("tr", {}, ["Field", "Type", "Default, limits", "Meaning"].map(t => el("th", {scope: "col"}, t)))),
              el("tbody", {}, body))));
        }
        function example(schema, name) {
          const s = resolve(schema);
          if (name === "source_id" || name === "task_ids" && s.type !== "array") return "ID";
          if (s.default !== undefined) return s.default;
          if (s.const !== undefined) return s.const;
          if (s.enum) return s.enum[0];
          if (s.examples) return s.examples[0];
          if (s.anyOf) return example(s.anyOf[0]);
          if (s.type === "array") return [example(s.items, name)];
          if (s.type !== "object") return s.type === "string" ? "" : 0;
          return Object.fromEntries((s.required || []).map(key => [key, example(s.properties[key], key)]));
        }
        const shell = text => "'" + text.replaceAll("'", "'\\''") + "'";
        function curl(method, path, op, body) {
          const lines = ["curl " + (method === "head" ? "-I " : "") + shell(location.origin + base + path)];
          if (op.security.length) lines.push('-H "X-License-Key: $KEY"');
          if (body === "file") lines.push("-H 'Content-Disposition: attachment; filename=\"song.mp3\"'", "--data-binary @song.mp3");
          else if (body) lines.push("-H 'Content-Type: application/json'", "-d " + shell(body));
          else if (method === "post") lines.push("-X POST");
          return lines.join(" \\\n    ");
        }
        function tryIt(method, path, op, body) {
          const id = op.operationId, output = el("div", {role: "status"});
          let input = null, label = null;
          if (body === "file") { label = "Recording"; input = el("input", {type: "file", id: "body-" + id}); }
          else if (body) { label = "Body"; input = el("textarea", {id: "body-" + id, rows: body.split("\n").length, spellcheck: false}, body); }
          const params = (op.parameters || []).filter(p => p.in === "path").map(p => [p.name, el("input", {id: id + "-" + p.name})]);
          const button = el("button", {type: "submit"}, "Send");
          const form = el("form", {}, params.map(([name, field]) => [el("label", {for: id + "-" + name}, name), field]),
            input ? [el("label", {for: "body-" + id}, label), input] : [], button);
          form.addEventListener("submit", async event => {
            event.preventDefault();
            const headers = {};
            if (op.security.length) headers["X-License-Key"] = $("key").value.trim();
            let payload;
            if (body === "file") {
              payload = input.files[0];
              if (!payload) { output.replaceChildren(el("p", {class: "bad"}, "Choose a file first.")); return; }
              headers["Content-Disposition"] = "attachment; filename*=UTF-8''" + encodeURIComponent(payload.name).replace(/['()*]/g,
                c => "%" + c.charCodeAt(0).toString(16));
            } else if (body) { payload = input.value; headers["Content-Type"] = "application/json"; }
            const target = params.reduce((url, [name, field]) => url.replace("{" + name + "}", encodeURIComponent(field.value)), path);
            button.disabled = true;
            output.replaceChildren(el("p", {class: "soft"}, "Waiting …"));
            try {
              const reply = await fetch(base + target, {method: method.toUpperCase(), headers, body: payload});
              let text = await reply.text();
              try { text = JSON.stringify(JSON.parse(text), null, 2); } catch { /* shown as it is */ }
              output.replaceChildren(el("p", {class: reply.ok ? "good" : "bad"}, reply.status + " " + reply.statusText),
                el("pre", {tabIndex: 0}, text));
            } catch (error) { output.replaceChildren(el("p", {class: "bad"}, "No answer: " + error.message)); }
            button.disabled = false;
          });
          return el("details", {}, el("summary", {}, "Try it"), form, output);
        }
        function article(path, method, op) {
          const content = op.requestBody ? op.requestBody.content : {}, json = content["application/json"];
          const body = json ? JSON.stringify(example(json.schema), null, 2) : op.requestBody ? "file" : "";
          const good = Object.values((op.responses["200"] || {}).content || {})[0];
          const isJSON = "application/json" in ((op.responses["200"] || {}).content || {});
          const parameters = {properties: Object.fromEntries((op.parameters || []).map(p => [p.name, {description: p.description, ...p.schema}])),
            required: (op.parameters || []).map(p => p.name)};
          return el("article", {id: op.operationId}, el("h3", {}, op.summary),
            el("p", {class: "path"}, el("span", {class: "method"}, method), " " + path + " ",
              op["x-partita-addition"] ? el("span", {class: "badge"}, "Partita addition") : null),
            prose(op.description), table("Parameters", parameters), json ? table("Request", json.schema) : null,
            good ? table("Answer", good.schema) : null,
            el("details", {}, el("summary", {}, "Statuses"), el("ul", {}, Object.entries(op.responses).map(([status, r]) =>
              el("li", {}, el("code", {}, status), " ", rich(r.description))))),
            el("h4", {}, "curl"), el("pre", {tabIndex: 0}, curl(method, path, op, body)),
            isJSON && path.startsWith("/api/") || path.endsWith("z") ? tryIt(method, path, op, body) : null);
        }
        fetch(base + "/api/v1/openapi.json").then(reply => reply.json()).then(found => {
          api = found;
          $("version").textContent = api.info.version;
          $("document").href = base + "/api/v1/openapi.json";
          const all = Object.entries(api.paths).flatMap(([path, item]) => Object.entries(item).map(([method, op]) => ({path, method, op})));
          $("operations").replaceChildren(el("section", {}, el("h2", {}, "Overview"), prose(api.info.description)),
            ...api.tags.map(tag => el("section", {}, el("h2", {}, tag.name), prose(tag.description),
              all.filter(one => one.op.tags.includes(tag.name)).map(one => article(one.path, one.method, one.op)))));
          $("contents").replaceChildren(...api.tags.flatMap(tag => [el("strong", {}, tag.name),
            ...all.filter(one => one.op.tags.includes(tag.name)).map(one => el("a", {href: "#" + one.op.operationId}, one.op.summary))]));
        }).catch(error => $("operations").replaceChildren(el("p", {class: "bad"}, "The document could not be read: " + error.message)));
        """#
}
