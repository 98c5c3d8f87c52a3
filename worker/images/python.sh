#!/bin/sh
# Python. The tools of gates have an environment of their own: what a repository installs does not change them.
set -eu
apt-get update
apt-get install --yes --no-install-recommends python3 python3-pip python3-venv
rm -rf /var/lib/apt/lists/*
python3 -m venv /opt/python-tools
/opt/python-tools/bin/pip install --no-cache-dir mypy==2.4.1 pip-audit==2.10.1 pytest==9.2.0 pytest-cov==7.1.0 ruff==0.17.5 semgrep==1.185.0 uv==0.13.9
for tool in mypy pip-audit pysemgrep pytest ruff semgrep uv uvx; do
  ln -s "/opt/python-tools/bin/$tool" /usr/local/bin/
done
python3 --version
pip --version
mypy --version
pip-audit --version
pytest --version
ruff --version
semgrep --version
uv --version
